"""Calls of the control plane's own endpoints (not the OpenAPI): status, logs, states."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from flinkform.cli.project import Project
from flinkform.errors import Denied, FlinkformError, Invalid, NotFound, Unavailable

_SECONDS = 30
_MOST = 64 * 1024 * 1024
_NAMED: dict[int, type[FlinkformError]] = {401: Denied, 403: Denied, 404: NotFound}


def alive(endpoint: str) -> bool:
    """Say whether a control plane answers at *endpoint*."""
    try:
        return _open(endpoint, "GET", "/healthz", {}, 2).status == 200
    except (OSError, HTTPException):
        return False


def ready(endpoint: str) -> tuple[bool, list[str]]:
    """Return whether jobs can run, and the reasons why not."""
    try:
        answer = _open(endpoint, "GET", "/readyz", {}, _SECONDS)
        said = json.loads(answer.read(_MOST) or b"{}")
    except (OSError, HTTPException, ValueError) as error:
        return False, [str(error)]
    return answer.status == 200, [str(r) for r in said.get("reasons", [])]


def call(project: Project, method: str, path: str) -> Any:
    """Return the JSON answer; raises Denied, NotFound, Unavailable or FlinkformError with what the server said."""
    return json.loads(_answer(project, method, path, _SECONDS).read(_MOST) or b"null")


def stream(project: Project, path: str) -> Iterator[bytes]:
    """Yield the answer as it arrives, for as long as it goes on."""
    answer = _answer(project, "GET", path, None)
    while piece := answer.read1(65536):
        yield piece


def _answer(project: Project, method: str, path: str, seconds: float | None) -> HTTPResponse:
    endpoint, key, secret = project.login()
    token = base64.b64encode(f"{key}:{secret}".encode()).decode()
    try:
        answer = _open(endpoint, method, path, {"Authorization": f"Basic {token}"}, seconds)
    except (OSError, HTTPException) as error:
        raise Unavailable(f"no control plane answers at {endpoint}: {error}", advice="run `flinkform up`") from error
    if answer.status >= 400:
        text = answer.read(65536).decode(errors="replace")
        kind = _NAMED.get(answer.status, FlinkformError)
        raise kind(_message(text) or f"{method} {path} answered {answer.status}")
    return answer


def _open(endpoint: str, method: str, path: str, headers: dict[str, str], seconds: float | None) -> HTTPResponse:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Invalid(f"expected an endpoint such as http://127.0.0.1:8711, got {endpoint!r}")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname, parts.port, timeout=seconds)
    # Closing with the answer: whoever has read it to its end has nothing left to close.
    connection.request(method, path, headers={**headers, "Connection": "close"})
    return connection.getresponse()


def _message(text: str) -> str:
    """Return what an error answer says, whatever its shape."""
    try:
        said = json.loads(text)
    except ValueError:
        return text.strip()
    if not isinstance(said, dict):
        return text.strip()
    return next((str(said[k]) for k in ("message", "Message", "errorMessage", "detail", "error") if said.get(k)), text)
