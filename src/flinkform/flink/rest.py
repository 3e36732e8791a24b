"""The only HTTP client of Flink's REST: kept-alive connections, bounded answers, our errors."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

from flinkform.errors import Conflict, NotFound, TimedOut, Unavailable
from flinkform.flink.diagnosis import root_line

_LIMIT = 64 << 20
_KEPT = 8


class Rest:
    """Requests to one base URL over connections that are kept; safe from many threads."""

    def __init__(self, url: str, *, timeout: float) -> None:
        self.url = url
        self._timeout = timeout
        self._idle: list[http.client.HTTPConnection] = []
        self._closed = False

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, body: object) -> Any:
        return self.call("POST", path, body)

    def call(self, method: str, path: str, body: object = None) -> Any:
        """The decoded answer. NotFound, Conflict (Flink refused), TimedOut or Unavailable otherwise."""
        sent = None if body is None else json.dumps(body).encode()
        try:
            status, content = self._exchange(method, path, sent)
        except TimeoutError as error:
            raise TimedOut(f"Flink did not answer within {self._timeout:g} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"Flink's REST at {self.url} does not answer") from error
        return _decoded(status, content)

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """Ask; a GET goes over a kept connection, and over a fresh one if Flink had closed that.

        Nothing else is asked twice: a savepoint that was triggered must not be triggered again.
        """
        if method == "GET" and self._idle:
            try:
                return self._ask(self._idle.pop(), method, path, body)
            except TimeoutError:
                raise
            except (IndexError, OSError, http.client.HTTPException):
                pass
        return self._ask(self._connection(), method, path, body)

    def _connection(self) -> http.client.HTTPConnection:
        address = urlsplit(self.url)
        return http.client.HTTPConnection(address.hostname or "", address.port, timeout=self._timeout)

    def _ask(
        self, connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None
    ) -> tuple[int, bytes]:
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer = connection.getresponse()
            content = _bounded(answer)
        except BaseException:
            connection.close()
            raise
        if self._closed or len(self._idle) >= _KEPT:
            connection.close()
        else:
            self._idle.append(connection)
        return answer.status, content


def _bounded(answer: http.client.HTTPResponse) -> bytes:
    content = answer.read(_LIMIT + 1)
    if len(content) > _LIMIT:
        raise http.client.HTTPException("answer too long")
    return content


def _decoded(status: int, content: bytes) -> Any:
    try:
        answer = json.loads(content) if content else {}
    except ValueError:
        answer = {"errors": [content[:500].decode(errors="replace")]}
    if status < 300:
        return answer
    text = "\n".join(str(line) for line in answer.get("errors", ())) or f"HTTP {status}"
    reason = _reason(text)
    if status == 404 or "NotFoundException" in text:
        raise NotFound(reason)
    if status == 503:
        raise Unavailable(reason)
    raise Conflict(reason)


def _reason(text: str) -> str:
    """The root of a stack trace that Flink wraps in `<Exception on server side: … End of exception …>`."""
    trace = text.partition("<Exception on server side:")[2].partition("End of exception on server side>")[0]
    return root_line(trace.strip() or text)
