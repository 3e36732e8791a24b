"""The only HTTP client of Flink's REST: kept-alive connections, bounded answers, our errors; over TLS where asked."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flinkform.errors import Conflict, Denied, NotFound, TimedOut, Unavailable
from flinkform.flink.diagnosis import root_line

_LIMIT = 64 << 20
_KEPT = 8
_PAUSE = 0.1
_LEADERLESS = 503


class Page(NamedTuple):
    """An answer as it came."""

    status: int
    kind: str
    content: bytes


class Rest:
    """Requests to one base URL over connections that are kept; safe from many threads.

    *headers* go with each, and may be secret. *tls* is for an https URL, None trusts what the machine does.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float,
        headers: Mapping[str, str] = MappingProxyType({}),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.url = url
        self._address = urlsplit(url)
        self._timeout = timeout
        self._headers = dict(headers)
        self._tls = tls or (ssl.create_default_context() if self._address.scheme == "https" else None)
        self._idle: list[http.client.HTTPConnection] = []
        self._closed = False

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: object) -> Any:
        return self.call("POST", path, body)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer. NotFound, Conflict (Flink refused), Denied, TimedOut or Unavailable otherwise."""
        sent = None if body is None else json.dumps(body).encode()
        return _decoded(self._asked(method, path, sent, "application/json"))

    def upload(self, path: str, request: object, files: Sequence[Path]) -> Any:
        """Send files with a JSON *request* that names them, as one form; the decoded answer."""
        mark = uuid.uuid4().hex
        parts = [_part(mark, "request", json.dumps(request).encode(), "application/json")]
        for number, file in enumerate(files):
            parts.append(_part(mark, f"file_{number}", file.read_bytes(), "application/octet-stream", file.name))
        body = b"".join((*parts, f"--{mark}--\r\n".encode()))
        return _decoded(self._asked("POST", path, body, f"multipart/form-data; boundary={mark}"))

    def page(self, path: str) -> Page:
        """The answer to a GET as it came, whatever it says. TimedOut or Unavailable: there was none."""
        return self._asked("GET", path, None, "")

    def ready(self, patience: float, pause: Callable[[float], None] = time.sleep) -> None:
        """Return once the cluster has a leader, which may take longer than its REST; Unavailable after *patience* s."""
        waited = 0.0
        while self.page("/overview").status == _LEADERLESS and waited < patience:
            pause(_PAUSE)
            waited += _PAUSE
        self.get("/overview")

    def _asked(self, method: str, path: str, body: bytes | None, kind: str) -> Page:
        try:
            return self._exchange(method, path, body, kind)
        except TimeoutError as error:
            raise TimedOut(f"Flink did not answer within {self._timeout:g} s") from error
        except ssl.SSLError as error:
            advice = "name the file of the CA that signed its certificate"
            raise Unavailable(f"{self.url} is not trusted: {error.reason or error}", advice=advice) from error
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"Flink's REST at {self.url} does not answer") from error

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _exchange(self, method: str, path: str, body: bytes | None, kind: str) -> Page:
        """Ask; a GET goes over a kept connection, and over a fresh one if Flink had closed that.

        Nothing else is asked twice: a savepoint that was triggered must not be triggered again.
        """
        if method == "GET" and self._idle:
            try:
                return self._ask(self._idle.pop(), method, path, body, kind)
            except TimeoutError:
                raise
            except (IndexError, OSError, http.client.HTTPException):
                pass
        return self._ask(self._connection(), method, path, body, kind)

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self._address.hostname or "", self._address.port
        if self._tls is None:
            return http.client.HTTPConnection(host, port, timeout=self._timeout)
        return http.client.HTTPSConnection(host, port, timeout=self._timeout, context=self._tls)

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, kind: str
    ) -> Page:
        headers = {**self._headers, **({"Content-Type": kind} if body else {})}
        try:
            connection.request(method, self._address.path.rstrip("/") + path, body, headers)
            answer = connection.getresponse()
            content = _bounded(answer)
        except BaseException:
            connection.close()
            raise
        if self._closed or len(self._idle) >= _KEPT:
            connection.close()
        else:
            self._idle.append(connection)
        return Page(answer.status, answer.headers.get("Content-Type", "application/octet-stream"), content)


def _part(mark: str, name: str, content: bytes, kind: str, file: str = "") -> bytes:
    """One field of a form."""
    where = f'; filename="{file}"' if file else ""
    head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"{where}\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + content + b"\r\n"


def _bounded(answer: http.client.HTTPResponse) -> bytes:
    content = answer.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise http.client.HTTPException("answer too long")
    return content


def _decoded(page: Page) -> Any:
    status, _, content = page
    try:
        answer = json.loads(content) if content else {}
    except ValueError:
        answer = {"errors": [content[:500].decode(errors="replace")]}
    if status < 300:
        return answer
    if status in (401, 403):
        raise Denied(f"Flink's REST does not let us in (HTTP {status})", advice="check the user or the token")
    said = answer.get("errors", ()) if isinstance(answer, dict) else ()
    text = "\n".join(str(line) for line in said) or f"HTTP {status}"
    reason = _reason(text)
    if status == 404 or "NotFoundException" in text:
        raise NotFound(reason)
    if status == _LEADERLESS:
        raise Unavailable(reason)
    raise Conflict(reason)


def _reason(text: str) -> str:
    """The root of a stack trace that Flink wraps in `<Exception on server side: … End of exception …>`."""
    trace = text.partition("<Exception on server side:")[2].partition("End of exception on server side>")[0]
    return root_line(trace.strip() or text)
