"""A door before a session cluster: TLS, a token, and it can be shut."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from flinkform.provider.protocol import certificate

TOKEN = "let-me-in"


class Gate:
    """Passes requests with the token on, and remembers which."""

    def __init__(self, behind: str, folder: Path) -> None:
        self.behind = urlsplit(behind)
        self.asked: list[str] = []
        self.ca = folder / "gate.pem"
        self.ca.write_text(certificate.make().pem)
        self._port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"https://localhost:{self._port}"

    def open(self) -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.ca)
        server = _Server(("127.0.0.1", self._port), self)
        server.socket = tls.wrap_socket(server.socket, server_side=True)
        self._port, self._server = server.server_port, server
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def shut(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], gate: Gate) -> None:
        super().__init__(address, _Handler)
        self.gate = gate

    def handle_error(self, *_: object) -> None:
        """Be quiet about clients that left."""


class _Handler(BaseHTTPRequestHandler):
    # A connection a request: what is shut is shut.
    protocol_version = "HTTP/1.0"
    server: _Server

    def pass_on(self) -> None:
        gate = self.server.gate
        gate.asked.append(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.send_error(401)
            return
        connection = http.client.HTTPConnection(gate.behind.hostname or "", gate.behind.port, timeout=60)
        with suppress(OSError):
            kind = {"Content-Type": self.headers["Content-Type"]} if body else {}
            connection.request(self.command, self.path, body, kind)
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        connection.close()

    do_GET = do_POST = do_PATCH = do_PUT = pass_on  # noqa: N815  the names of the standard library

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@contextmanager
def opened(behind: str, folder: Path) -> Iterator[Gate]:
    gate = Gate(behind, folder)
    gate.open()
    try:
        yield gate
    finally:
        gate.shut()
