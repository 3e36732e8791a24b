"""A server on loopback that answers what it is told to, and a clock that only moves when somebody sleeps."""

from __future__ import annotations

import json
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from flinkform.client.api import Client
from flinkform.client.credentials import Credentials
from flinkform.client.endpoints import Endpoints
from flinkform.client.retry import Retry
from flinkform.openapi import signature
from flinkform.openapi.request import parse
from flinkform.openapi.route import match

SECRET = "the-secret"


@dataclass
class Clock:
    """Unix time that moves by sleeping; the naps are kept."""

    now: float = 1_700_000_000.0
    naps: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


@dataclass
class Server:
    """Answers from *script*, in turn: a body, (status, body), (status, body, headers), or None to hang up.

    Every request's signature is verified against *clock*. Beyond the script it answers success.
    """

    clock: Clock
    script: deque[Any] = field(default_factory=deque)
    seen: list[tuple[str, dict[str, Any], Any]] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    proxied: list[tuple[str, str, str]] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    hangs_up: bool = False
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        if not target.startswith("/"):  # addressed to somewhere else: we are the proxy
            base, _, rest = target.partition("/api/")
            self.proxied.append((base, headers["host"], headers.pop("proxy-authorization")))
            target = f"/api/{rest}"
        key = signature.Key("LTAI1", SECRET)
        signature.verify(
            method, target, headers, body, find={"LTAI1": key}.get, now=self.clock(), replayed=self._replayed
        )
        path, _, query = target.partition("?")
        operation, params = match(method, path, action=headers["x-acs-action"])
        self.seen.append((operation.name, *parse(operation, params, query=query, headers=headers, body=body)))
        return self.script.popleft() if self.script else {"success": True, "requestId": "r"}

    def _replayed(self, _key: str, nonce: str) -> bool:
        known = nonce in self.nonces
        self.nonces.add(nonce)
        return known


class Handler(BaseHTTPRequestHandler):
    """One connection of a `Server`."""

    protocol_version = "HTTP/1.1"
    told: Server

    def setup(self) -> None:
        super().setup()
        self.told.connections += 1

    def log_message(self, *_: object) -> None:
        pass

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        found = self.told.answer(self.command, self.path, headers, body)
        if found is None:
            self.close_connection = True
            return
        status, content, extra = (*found, {})[:3] if isinstance(found, tuple) else (200, found, {})
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in ({"content-length": str(len(data))} | extra).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = self.told.hangs_up

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815 (the names http.server wants)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@contextmanager
def listening(told: Server, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Serve *told* on a free port of this machine."""
    handler = type("Told", (Handler,), {"told": told})

    class Listener(ThreadingHTTPServer):
        def shutdown_request(self, request: Any) -> None:
            super().shutdown_request(request)
            told.closed.set()

    with Listener(("127.0.0.1", 0), handler) as listener:
        told.port = listener.server_port
        if tls:
            listener.socket = tls.wrap_socket(listener.socket, server_side=True)
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        yield told
        listener.shutdown()
        thread.join()


@pytest.fixture
def server(clock: Clock) -> Iterator[Server]:
    with listening(Server(clock)) as told:
        yield told


@pytest.fixture
def connect(server: Server, clock: Clock) -> Iterator[Callable[..., Client]]:
    """Return a function that makes clients of *server*; its keywords change the retries."""
    made: list[Client] = []

    def make(url: str = "", secret: str = SECRET, **retry: Any) -> Client:
        there = Endpoints(console=url or server.url, ververica=url or server.url)
        key = Credentials(key_id="LTAI1", secret=secret, source="the environment")
        policy = Retry(draw=lambda: 1.0, **retry)
        made.append(Client(key, there, region="cn-hangzhou", clock=clock, sleep=clock.sleep, retry=policy))
        return made[-1]

    yield make
    for client in made:
        client.close()
