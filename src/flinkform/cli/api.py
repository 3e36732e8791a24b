"""Calls of the control plane's own endpoints (not the OpenAPI): status, logs, states."""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from flinkform.cli.project import Project
from flinkform.controlplane import home
from flinkform.errors import Conflict, Denied, FlinkformError, Invalid, NotFound, Unavailable

_SECONDS = 30
_MOST = 64 * 1024 * 1024
_LOCKED = 423
"""What is answered to who wants a lock that is taken."""
_NAMED: dict[int, type[FlinkformError]] = {400: Invalid, 404: NotFound, 409: Conflict, 503: Unavailable}


def alive(endpoint: str) -> bool:
    """Say whether a control plane answers at *endpoint*."""
    try:
        with _asked(endpoint, "GET", "/healthz", {}, 2) as answer:
            return answer.status == 200
    except (OSError, HTTPException):
        return False


def ready(endpoint: str) -> tuple[bool, list[str]]:
    """Return whether jobs can run, and the reasons why not."""
    try:
        with _asked(endpoint, "GET", "/readyz", {}, _SECONDS) as answer:
            said = json.loads(answer.read(_MOST) or b"{}")
            return answer.status == 200, [str(r) for r in said.get("reasons", [])]
    except (OSError, HTTPException, ValueError) as error:
        return False, [str(error)]


def call(project: Project, method: str, path: str, document: Mapping[str, Any] | None = None) -> Any:
    """Return the JSON answer; raises Denied, NotFound, Unavailable or FlinkformError with what the server said."""
    with _answer(project, method, path, _SECONDS, document) as answer:
        try:
            return json.loads(answer.read(_MOST))
        except ValueError as error:
            raise _stranger(project, f"{method} {path} is not answered with JSON") from error


def stream(project: Project, path: str) -> Iterator[bytes]:
    """Yield the answer as it arrives, for as long as it goes on."""
    with _answer(project, "GET", path, None) as answer:
        while piece := answer.read1(65536):
            yield piece


@contextmanager
def _answer(
    project: Project, method: str, path: str, seconds: float | None, document: Mapping[str, Any] | None = None
) -> Iterator[HTTPResponse]:
    """Yield an answer that is no error; what goes wrong while it is read is one too."""
    endpoint, key, secret = project.login()
    if not project.shell.get("FLINKFORM_ENDPOINT") and not home.held(project.home):
        raise _down(project, endpoint)  # whoever answers there now shall not be told our key
    token = base64.b64encode(f"{key}:{secret}".encode()).decode()
    try:
        with _asked(endpoint, method, path, {"Authorization": f"Basic {token}"}, seconds, document) as answer:
            if answer.status >= 400:
                raise _failure(project, answer, f"{method} {path}")
            yield answer
    except (OSError, HTTPException) as error:
        raise silent(project, error) from error


def silent(project: Project, error: Exception | None = None) -> Unavailable:
    """Return the error about a control plane that does not answer."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error or "")
    why = f": {reason.lower()}" if reason else ""
    if given := project.shell.get("FLINKFORM_ENDPOINT"):
        advice = "start it, or unset FLINKFORM_ENDPOINT to use the one of this repository"
        return Unavailable(f"FLINKFORM_ENDPOINT is {given}, and nothing answers there{why}", advice=advice)
    return Unavailable(f"no control plane answers at {project.endpoint()}{why}", advice="run `flinkform up`")


def _down(project: Project, endpoint: str) -> Unavailable:
    """Return the error about a control plane that does not run, whoever listens where it did."""
    parts = urlsplit(endpoint)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2).close()
    except OSError as error:
        return silent(project, error)
    return Unavailable(
        f"what listens at {endpoint} is not the control plane of this repository, which does not run",
        advice="run `flinkform up`: it takes another port",
    )


def _failure(project: Project, answer: HTTPResponse, request: str) -> FlinkformError:
    """Return what an answer that is an error means."""
    if answer.status == _LOCKED:
        return Conflict("somebody else holds the lock")
    said = _message(answer.read(65536).decode(errors="replace"))
    if not said:
        return _stranger(project, f"{request} is answered with status {answer.status}")
    if answer.status in (401, 403):
        key, _ = project.credentials()
        return Denied(
            f"the control plane at {project.endpoint()} does not take the access key {key}",
            advice=f"it comes from {project.signer}; use a key of this control plane, or unset it to use the home's",
        )
    return _NAMED.get(answer.status, FlinkformError)(said)


def _stranger(project: Project, why: str) -> Unavailable:
    """Return the error about something that listens where the control plane should, and is none."""
    given = project.shell.get("FLINKFORM_ENDPOINT")
    advice = "set FLINKFORM_ENDPOINT to one that is, or unset it" if given else "stop it and run `flinkform up`"
    return Unavailable(f"what listens at {project.endpoint()} is no flinkform control plane: {why}", advice=advice)


@contextmanager
def _asked(
    endpoint: str,
    method: str,
    path: str,
    headers: dict[str, str],
    seconds: float | None,
    document: Mapping[str, Any] | None = None,
) -> Iterator[HTTPResponse]:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Invalid(f"expected FLINKFORM_ENDPOINT to be like http://127.0.0.1:8711, got {endpoint!r}")
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(kind(parts.hostname, parts.port, timeout=seconds)) as connection:
        body = None if document is None else json.dumps(dict(document))
        connection.request(method, path, body, headers={**headers, "Connection": "close"})
        with connection.getresponse() as answer:
            yield answer


def _message(text: str) -> str:
    """Return what an error answer of a control plane says, '' where it is not one's."""
    try:
        said = json.loads(text)
    except ValueError:
        return ""
    return str(said.get("message") or "") if isinstance(said, dict) else ""
