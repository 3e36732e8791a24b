"""A client that speaks raw frames to a connection, with no socket between them."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from flinkform.provider.protocol import frames
from flinkform.provider.protocol.hpack import Header, literal
from flinkform.provider.protocol.http2 import Connection
from flinkform.provider.protocol.streams import Stream

Frame = tuple[int, int, int, bytes]

POST = (
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b":path", b"/t.T/Echo"),
    (b"content-type", b"application/grpc"),
)


def block(headers: Iterable[Header] = POST) -> bytes:
    """A header block of literals."""
    return b"".join(literal(name, value) for name, value in headers)


def cut(data: bytes) -> list[Frame]:
    """The frames in *data*: (type, flags, stream, payload)."""
    out = []
    while data:
        sized, flags, stream = frames.HEAD.unpack_from(data)
        end = frames.HEAD.size + (sized >> 8)
        out.append((sized & 0xFF, flags, stream, data[frames.HEAD.size : end]))
        data = data[end:]
    return out


class Client:
    """Keeps the requests that arrive; `send` returns the frames that come back."""

    def __init__(self, *, held: int = 1 << 20) -> None:
        self.requests: list[tuple[Stream, bytes]] = []
        self.connection = Connection(self._keep, held=held)
        self.hello = self.send(frames.PREFACE + frames.settings({}))

    def _keep(self, _connection: Connection, stream: Stream, body: bytes) -> None:
        self.requests.append((stream, body))

    def send(self, *data: bytes) -> list[Frame]:
        """Feed bytes; every frame that the connection has to send now."""
        for piece in data:
            self.connection.receive(piece)
        return self.read()

    def read(self) -> list[Frame]:
        """The frames that are ready."""
        out = b""
        while data := self.connection.take():
            out += data
        return cut(out)

    def call(self, stream: int, body: bytes = b"", headers: Iterable[Header] = POST) -> list[Frame]:
        """One whole request."""
        return self.send(
            frames.frame(frames.HEADERS, frames.END_HEADERS, stream, block(headers)),
            frames.frame(frames.DATA, frames.END_STREAM, stream, body),
        )


@pytest.fixture
def client() -> Client:
    """A client that has said hello."""
    return Client()


@pytest.fixture
def connect() -> Callable[..., Client]:
    """Makes clients."""
    return Client
