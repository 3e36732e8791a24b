"""Brings jars of this machine to the control plane, each content once between two configurations of the provider."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from threading import Lock
from typing import Any

from flinkform.errors import Conflict, Invalid
from flinkform.errors import Path as At
from flinkform.provider.lists import Caller
from flinkform.provider.values import Values
from flinkform.resources import job

LIMIT = 512 * 1024 * 1024
"""Bytes that a jar may have."""
_SOURCE: At = ("jar", "source")


class Uploads:
    """The jars that were brought there, by namespace and content."""

    __slots__ = ("_client", "_lock", "_places")

    def __init__(self, client: Caller) -> None:
        self._client = client
        self._lock = Lock()
        self._places: dict[tuple[str, ...], str] = {}

    def placed(self, values: Values) -> Values:
        """Return *values* with the URI of their jar, which is uploaded first where it is a file of this machine.

        Invalid: the file cannot be read, or is not the one that was pinned. Else what the API or the store answers.
        """
        jar: Mapping[str, Any] = values.get("jar") or {}
        if not jar.get("source"):
            return values
        scope = {"workspace": str(values.get("workspace")), "namespace": str(values.get("namespace"))}
        key = (*scope.values(), str(jar.get("sha256")))
        with self._lock:  # one after the other: several jobs of one jar wait for one upload
            if key not in self._places:
                self._places[key] = self._put(Path(str(jar["source"])), str(jar.get("sha256")), scope)
        return {**values, "jar": {**jar, "uri": self._places[key]}}

    def _put(self, file: Path, sha256: str, scope: Mapping[str, str]) -> str:
        content = _read(file, sha256)
        asked = {**scope, "fileName": job.uploaded(file.name, sha256)}
        found = self._client.call("GetPreSignedUrlForPutObject", asked).get("data") or {}
        place, link = str(found.get("jarUrl") or ""), str(found.get("preSignedUrl") or "")
        if not place or not link:
            raise Conflict("the control plane takes no uploads", at=_SOURCE, advice="put it somewhere and give its uri")
        self._client.put(link, content)
        return place


def _read(file: Path, sha256: str) -> bytes:
    try:
        if file.stat().st_size > LIMIT:
            raise Invalid(f"expected a file of at most {LIMIT} bytes, got {file.stat().st_size}", at=_SOURCE)
        content = file.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise Invalid(f"expected a jar at {file}: {reason}", at=_SOURCE) from error
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise Invalid(
            f"expected {file} to have sha256 {sha256}, got {found}",
            at=("jar", "sha256"),
            advice='the file changed since the plan; plan again, with sha256 = filesha256("...")',
        )
    return content
