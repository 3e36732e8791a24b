"""Connections to an endpoint, kept alive and shared by threads."""

from __future__ import annotations

import base64
import select
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import unquote, urlsplit

CONNECT = 5.0
"""Seconds to connect."""
ANSWER = 60.0
"""Seconds until the next bytes of an answer must have come."""
IDLE = 4.0
"""Seconds an idle connection is used again; less than servers commonly keep theirs (uvicorn: 5)."""
LIMIT = 64 << 20
"""Bytes of an answer that are read at most."""
KEPT = 32
"""Idle connections that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """One connection. What it raises is `OSError` or `HTTPException`."""

    def __init__(self, connection: HTTPConnection, prefix: str, headers: dict[str, str]) -> None:
        self.connection = connection
        self.since = 0.0
        self._prefix = prefix
        self._headers = headers

    def exchange(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        """Send a request and return its answer, which is read to its end."""
        http = self.connection
        http.putrequest(method, self._prefix + target, skip_host=True, skip_accept_encoding=True)
        for name, value in (headers | self._headers).items():
            http.putheader(name, value)
        if body or method in ("POST", "PUT", "PATCH"):
            http.putheader("content-length", str(len(body)))
        http.endheaders(body or None)
        with http.getresponse() as response:
            content = response.read(LIMIT + 1)
            if len(content) > LIMIT:
                raise HTTPException(f"the answer has more than {LIMIT >> 20} MiB")
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(status=response.status, headers=found, body=content)

    def dead(self) -> bool:
        """Say whether the other side has hung up: an idle connection with something to read is a closed one."""
        sock = self.connection.sock
        if sock is None:
            return True
        try:
            return bool(select.select([sock], [], [], 0)[0])
        except (OSError, ValueError):  # ValueError: a file descriptor too large for select
            return True


class Pool:
    """The idle connections to one endpoint."""

    def __init__(self, url: str, *, proxy: str = "", clock: Callable[[], float]) -> None:
        self.url = url
        parts = urlsplit(url)
        self._secure = parts.scheme == "https"
        self._host, self._port = parts.hostname or "", parts.port or (443 if self._secure else 80)
        self.host = parts.netloc
        self._proxy = urlsplit(proxy) if proxy else None
        self._clock = clock
        self._idle: list[Line] = []
        self._lock = threading.Lock()
        self._tls = ssl.create_default_context() if self._secure else None

    def take(self) -> Line:
        """Return a connected line, a used one if there is one alive. Raises `OSError`: then nothing was sent."""
        while True:
            with self._lock:
                line = self._idle.pop() if self._idle else None
            if line is None:
                return self._connect()
            if abs(self._clock() - line.since) < IDLE and not line.dead():
                return line
            line.connection.close()

    def give(self, line: Line) -> None:
        """Take a line back after a whole answer."""
        line.since = self._clock()
        with self._lock:
            if line.connection.sock is not None and len(self._idle) < KEPT:
                self._idle.append(line)
                return
        line.connection.close()

    def close(self) -> None:
        """Close the idle lines."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.connection.close()

    def _connect(self) -> Line:
        line = self._line()
        line.connection.connect()
        line.connection.sock.settimeout(ANSWER)
        return line

    def _line(self) -> Line:
        if self._proxy is None:
            return Line(self._open(self._host, self._port), "", {})
        proxy, login = self._proxy, {}
        if proxy.username:
            word = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
            login = {"proxy-authorization": f"Basic {base64.b64encode(word).decode()}"}
        connection = self._open(proxy.hostname or "", proxy.port or 80)
        if self._secure:
            connection.set_tunnel(self._host, self._port, headers=login)
            return Line(connection, "", {})
        return Line(connection, self.url, login)

    def _open(self, host: str, port: int) -> HTTPConnection:
        if self._tls:
            return HTTPSConnection(host, port, timeout=CONNECT, context=self._tls)
        return HTTPConnection(host, port, timeout=CONNECT)
