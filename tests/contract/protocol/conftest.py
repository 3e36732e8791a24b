"""A toy provider, in this process or its own, and strangers to call it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import h2.config
import h2.connection
import h2.events
import pytest

from flinkform.provider.protocol import certificate, grpc, plugin
from flinkform.provider.protocol.plugin import COOKIE, Reattached

ROOT = Path(__file__).parents[3]
LONG = 20.0
"""Seconds after which something that should have happened has not."""
NAME = "example.com/toy/toy"

PROGRAM = """
import signal, sys, threading
from flinkform.provider.protocol import grpc, plugin

stopping = threading.Event()

def slow(body):
    def work():
        print("working", file=sys.stderr, flush=True)
        stopping.wait(10)
        return b"stopped" if stopping.is_set() else b"forgotten"
    return grpc.Later(work)

def shot(body):
    def work():
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        return b"stopped" if stopping.wait(10) else b"forgotten"
    return grpc.Later(work)

methods = {b"/t.T/Echo": lambda body: body, b"/t.T/Slow": slow, b"/t.T/Shot": shot}
plugin.serve(methods, on_stop=stopping.set)
print("over", file=sys.stderr, flush=True)
"""


class Stranger:
    """A gRPC client made of the h2 library, on any connected socket."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        sock.settimeout(LONG)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.headers: dict[int, dict[str, str]] = {}
        self.data: dict[int, bytes] = {}
        self.ended: set[int] = set()
        self.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def flush(self) -> None:
        """Send what h2 has to send; that the server has hung up shows when its last words are read."""
        with contextlib.suppress(OSError):
            self.socket.sendall(self.h2.data_to_send())

    def begin(self, path: str, *, ended: bool = False, **more: str) -> int:
        """Open a call."""
        number = self.h2.get_next_available_stream_id()
        headers = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost"}
        headers |= {"content-type": "application/grpc", "te": "trailers"} | more
        self.h2.send_headers(number, list(headers.items()), end_stream=ended)
        self.flush()
        return number

    def say(self, number: int, body: bytes) -> None:
        """Send one message and end the request, as fast as flow control lets."""
        body = len(body).to_bytes(5, "big") + body
        while body:
            size = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size, len(body))
            if not size:
                self.listen()
                continue
            self.h2.send_data(number, body[:size], end_stream=size == len(body))
            body = body[size:]
            self.flush()

    def listen(self) -> list[h2.events.Event]:
        """Take in what comes next."""
        data = self.socket.recv(65_536)
        if not data:
            raise ConnectionError("the server hung up")
        events = self.h2.receive_data(data)
        for event in events:
            number = getattr(event, "stream_id", 0)
            if isinstance(event, h2.events.ResponseReceived | h2.events.TrailersReceived):
                found = {str(key): str(value) for key, value in event.headers or ()}
                self.headers.setdefault(number, {}).update(found)
            elif isinstance(event, h2.events.DataReceived):
                self.data[number] = self.data.get(number, b"") + (event.data or b"")
                self.h2.acknowledge_received_data(event.flow_controlled_length or 0, number)
            elif isinstance(event, h2.events.StreamEnded | h2.events.StreamReset):
                self.ended.add(number)
        self.flush()
        return events

    def answer(self, number: int) -> tuple[dict[str, str], bytes]:
        """Headers and trailers, and the message, of a call's answer."""
        while number not in self.ended:
            self.listen()
        return self.headers.get(number, {}), self.data.get(number, b"")[5:]

    def call(self, path: str, body: bytes = b"") -> tuple[dict[str, str], bytes]:
        """One whole call."""
        number = self.begin(path)
        self.say(number, body)
        return self.answer(number)


@pytest.fixture(scope="session")
def gate() -> threading.Event:
    """What the method Wait waits for."""
    return threading.Event()


def _methods(gate: threading.Event) -> dict[bytes, grpc.Method]:
    def refuse(_: bytes) -> grpc.Answer:
        raise grpc.Status(9, "no 100% größer")

    def wait(body: bytes) -> grpc.Answer:
        return grpc.Later(lambda: body if gate.wait(LONG) else b"")

    return {
        b"/t.T/Echo": lambda body: body,
        b"/t.T/Later": lambda body: grpc.Later(lambda: body),
        b"/t.T/Wait": wait,
        b"/t.T/List": lambda body: [body] * 3,
        b"/t.T/Refuse": refuse,
    }


@pytest.fixture(scope="session")
def served(gate: threading.Event) -> Iterator[Reattached]:
    """A toy provider that serves from this process."""
    with plugin.reattach(_methods(gate), NAME) as server:
        yield server
        gate.set()


@pytest.fixture
def address(served: Reattached) -> str:
    """The path of its socket."""
    return str(json.loads(served.environment)[NAME]["Addr"]["String"])


@pytest.fixture
def dial(address: str) -> Iterator[Callable[[], socket.socket]]:
    """Connects to it; the sockets are closed after the test."""
    sockets = []

    def connect() -> socket.socket:
        sock = socket.socket(socket.AF_UNIX)
        sockets.append(sock)
        sock.settimeout(LONG)
        sock.connect(address)
        return sock

    yield connect
    for sock in sockets:
        sock.close()


class Identity:
    """A certificate on disk: *pem* with its key, *public* without."""

    def __init__(self, directory: Path) -> None:
        self.pem = directory / "identity.pem"
        text = certificate.make().pem
        self.pem.write_text(text)
        self.public = text[text.index("-----BEGIN CERTIFICATE") :]


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """What Terraform would show."""
    return Identity(tmp_path_factory.mktemp("terraform"))


@pytest.fixture(scope="session")
def impostor(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """What another process would show."""
    return Identity(tmp_path_factory.mktemp("impostor"))


class Process:
    """A provider in its own process; *hello* is its handshake line in fields."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(directory)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.hello = self.process.stdout.readline().strip().split("|")

    def dial(self, identity: Identity | None = None, *, tls: bool = True) -> socket.socket:
        """Connect as Terraform does, or with another certificate or none."""
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(LONG)
        sock.connect(self.hello[3])
        if not tls:
            return sock
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=base64.b64decode(self.hello[5] + "=" * (-len(self.hello[5]) % 4)))
        context.set_alpn_protocols(["h2"])
        if identity is not None:
            context.load_cert_chain(identity.pem)
        return context.wrap_socket(sock, server_hostname="localhost")

    def end(self) -> tuple[int, str]:
        """Exit code and what it said on stderr, once it has ended by itself."""
        _, errors = self.process.communicate(timeout=LONG)
        return self.process.returncode, errors


@pytest.fixture
def start(tmp_path: Path, terraform: Identity) -> Iterator[Callable[..., Process]]:
    """Starts providers as Terraform does, in an environment that may be changed; none survives the test."""
    started: list[Process] = []

    def begin(**environment: str) -> Process:
        common = {"PLUGIN_CLIENT_CERT": terraform.public, COOKIE[0]: COOKIE[1]}
        started.append(Process(tmp_path, common | environment))
        return started[-1]

    yield begin
    for item in started:
        item.process.kill()
        item.process.communicate()
