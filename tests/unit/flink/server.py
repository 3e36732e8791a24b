"""A small server that answers as Flink's REST does."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Flink(ThreadingHTTPServer):
    """Answers each path with a status and a body; remembers what was asked, and on which connection."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, tuple[int, object]] = {}
        self.headers: list[dict[str, str]] = []
        self.sent: list[bytes] = []
        self.asked: list[tuple[str, str, object]] = []
        self.connections: set[object] = set()
        self.hang_up = False
        self.silent = threading.Event()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Flink

    def answer(self) -> None:
        server = self.server
        server.connections.add(self.client_address)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.headers.append({name.lower(): value for name, value in self.headers.items()})
        server.sent.append(body)
        plain = body and "json" in self.headers.get("Content-Type", "")
        server.asked.append((self.command, self.path, json.loads(body) if plain else None))
        if self.path == "/silent":
            server.silent.wait(10)
        status, content = server.answers.get(self.path, (404, {"errors": ["Not found: " + self.path]}))
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = server.hang_up

    do_GET = do_POST = do_PATCH = do_PUT = answer  # noqa: N815 -- the names of the standard library

    def log_message(self, *_: object) -> None:
        """Be quiet."""
