"""One HTTP/2 exchange, and the sending side of a connection with its flow control (RFC 9113, section 5.2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from flinkform.provider.protocol.faults import ConnectionFault, StreamFault
from flinkform.provider.protocol.frames import (
    DATA,
    END_HEADERS,
    END_STREAM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE,
    HEAD,
    HEADERS,
    MAX_WINDOW,
    WINDOW,
)
from flinkform.provider.protocol.hpack import SHRINK
from flinkform.provider.protocol.requests import Request

BACKLOG = 4 << 20
"""Bytes made ready to send before responses have to wait for the socket."""


class Stream:
    """A request and what has come of it; *ended* is set when the peer has said all of it."""

    __slots__ = ("body", "closed", "ended", "id", "received", "request", "room", "window")

    def __init__(self, number: int, request: Request, *, room: int, window: int) -> None:
        self.id = number
        self.request = request
        self.body = bytearray()
        self.received = 0
        self.room = room  # what the peer may still send
        self.window = window  # what we may still send
        self.ended = False
        self.closed = False


class Pending:
    """The rest of a response that flow control or the socket holds back."""

    __slots__ = ("body", "stream", "tail")

    def __init__(self, stream: Stream, body: memoryview, tail: bytes) -> None:
        self.stream = stream
        self.body = body
        self.tail = tail


class Sender:
    """Everything a connection has to send: frames ready for the socket, and responses that wait their turn."""

    __slots__ = ("_fresh", "_ready", "_size", "_waiting", "frame_size", "initial", "window")

    def __init__(self) -> None:
        self._ready: list[bytes | memoryview] = []
        self._size = 0
        self._waiting: deque[Pending] = deque()
        self._fresh = True
        self.window = WINDOW
        self.initial = WINDOW  # what a new stream starts with
        self.frame_size = FRAME_SIZE

    def write(self, frames: bytes | memoryview) -> None:
        """Send frames that flow control does not hold."""
        self._ready.append(frames)
        self._size += len(frames)

    def take(self) -> bytes:
        """What is ready, once; ask again when it is sent, for there may be more."""
        data = self._ready[0] if len(self._ready) == 1 else b"".join(self._ready)
        self._ready.clear()
        self._size = 0
        return bytes(data)

    def respond(self, stream: Stream, head: bytes, body: bytes, tail: bytes) -> bool:
        """Send a response; False when some of it has to wait for `pump`.

        *head* and *tail* are header blocks; without a tail the last frame before it ends the stream.
        """
        if self._fresh:
            head = SHRINK + head
            self._fresh = False
        ends = 0 if body or tail else END_STREAM
        opening = HEAD.pack(len(head) << 8 | HEADERS, END_HEADERS | ends, stream.id) + head
        size = len(body)
        if not size:
            self.write(opening + _trailers(stream, tail))
            return True
        if not self._waiting and size <= min(self.frame_size, self.window, stream.window) and self._size < BACKLOG:
            self.window -= size
            data = HEAD.pack(size << 8 | DATA, 0 if tail else END_STREAM, stream.id)
            self.write(b"".join((opening, data, body, _trailers(stream, tail))))
            return True
        self.write(opening)
        self._waiting.append(Pending(stream, memoryview(body), tail))
        return False

    def pump(self) -> list[Stream]:
        """Send what fits of the waiting responses, a frame each in turn; the streams that are through."""
        done: list[Stream] = []
        stuck = 0
        while stuck < len(self._waiting) and self.window > 0 and self._size < BACKLOG:
            item = self._waiting.popleft()
            if item.stream.closed:
                continue
            stuck = 0 if self._send(item) else stuck + 1
            if item.body:
                self._waiting.append(item)
            else:
                done.append(item.stream)
        return done

    def _send(self, item: Pending) -> bool:
        """Send one more frame of a response and, after the last, its trailers; False when its window is shut."""
        stream = item.stream
        size = min(len(item.body), self.frame_size, self.window, stream.window)
        if size <= 0:
            return False
        last = size == len(item.body)
        self.window -= size
        stream.window -= size
        self.write(HEAD.pack(size << 8 | DATA, END_STREAM if last and not item.tail else 0, stream.id))
        self.write(item.body[:size])
        item.body = item.body[size:]
        if last:
            self.write(_trailers(stream, item.tail))
        return True

    def grant(self, credit: int) -> None:
        """Widen the connection's window; raises ConnectionFault over 2^31-1."""
        self.window += credit
        if self.window > MAX_WINDOW:
            raise ConnectionFault(FLOW_CONTROL_ERROR, "connection window is over 2^31-1")

    def resize(self, initial: int, streams: Iterable[Stream]) -> None:
        """Move every open stream's window by the change of the initial one; raises ConnectionFault over 2^31-1."""
        for stream in streams:
            stream.window += initial - self.initial
            if stream.window > MAX_WINDOW:
                raise ConnectionFault(FLOW_CONTROL_ERROR, "stream window is over 2^31-1")
        self.initial = initial


def widen(stream: Stream, credit: int) -> None:
    """Widen one stream's window; raises StreamFault over 2^31-1."""
    stream.window += credit
    if stream.window > MAX_WINDOW:
        raise StreamFault(FLOW_CONTROL_ERROR, stream.id, "stream window is over 2^31-1")


def _trailers(stream: Stream, tail: bytes) -> bytes:
    return HEAD.pack(len(tail) << 8 | HEADERS, END_HEADERS | END_STREAM, stream.id) + tail if tail else b""
