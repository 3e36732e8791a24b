"""Flink's REST and UI, to be looked at only: GET, bounded, and no path that changes anything."""

from __future__ import annotations

import http.client
from urllib.parse import unquote, urlsplit

from flinkform.errors import Conflict, Denied, Invalid, NotFound
from flinkform.flink.runtime import Runtime

_ACTING = frozenset({"yarn-cancel", "yarn-stop", "jars"})
"""Steps of Flink's paths that act on a GET: two end a job, and the plan of a jar runs its main method."""


def fetch(runtime: Runtime, path: str) -> tuple[int, str, bytes]:
    """Return status, content type and content of *path* (with its query) below the runtime's REST.

    Invalid: no absolute path. Denied: it would change something. Unavailable: no answer, or one that is too long.
    """
    parts = urlsplit(path)
    if parts.scheme or parts.netloc or not parts.path.startswith("/") or not path.isascii() or not path.isprintable():
        raise Invalid("expected an absolute path such as /jobs/overview", at=("flinkApiPath",))
    if _ACTING & set(unquote(parts.path).lower().split("/")) or " " in path:
        raise Denied("this path of Flink's REST can change something", advice="use the API's own operations")
    status, kind, content = runtime.page(path)
    return status, kind, content


def text(status: int, content: bytes) -> str:
    """Return the answer as text. NotFound, Conflict: Flink refused."""
    said = content.decode(errors="replace")
    if status == http.client.NOT_FOUND:
        raise NotFound(f"Flink's REST has nothing there: {said[:500]}")
    if status >= http.client.BAD_REQUEST:
        raise Conflict(f"Flink's REST answered {status}: {said[:500]}")
    return said
