"""The server's side of one HTTP/2 connection (RFC 9113): bytes in, requests out, bytes out; no socket in sight."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from flinkform.provider.protocol import frames
from flinkform.provider.protocol.faults import ConnectionFault, StreamFault
from flinkform.provider.protocol.frames import (
    ACK,
    END_STREAM,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    NO_ERROR,
    PADDED,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    STREAM_CLOSED,
)
from flinkform.provider.protocol.framing import Framer, unpad
from flinkform.provider.protocol.hpack import Decoder
from flinkform.provider.protocol.requests import Reader
from flinkform.provider.protocol.streams import Sender, Stream, widen

STREAMS = 1024
"""Requests at a time; Terraform's -parallelism is far below, grpc-go waits when it is reached."""
ROOM = 16 << 20
"""Bytes the peer may send ahead on the connection; given back by halves."""
STREAM_ROOM = 4 << 20
"""Bytes the peer may send ahead on one stream."""
HEADER_LIST = 64 << 10
"""Bytes of one header list, and of one header block."""
HELD = 256 << 20
"""Bytes of unfinished request bodies; Terraform itself takes no message over 256 MiB."""
STRIKES = 2000
"""Cheap frames that cost us work (resets, faults, empty frames) beyond the requests that were answered."""
REMEMBERED_RESETS = 256

_HELLO = frames.settings(
    {
        frames.MAX_CONCURRENT_STREAMS: STREAMS,
        frames.INITIAL_WINDOW_SIZE: STREAM_ROOM,
        frames.MAX_HEADER_LIST_SIZE: HEADER_LIST,
    }
) + frames.window_update(0, ROOM - frames.WINDOW)


class Connection:
    """What the peer said so far and what is to be said to it.

    Feed `receive`, send what `take` returns until it returns nothing, and hang up once *closed*. *answer* is called
    with each complete request as (connection, stream, body) and, then or later, has `respond` called. *held* bounds
    the bytes of request bodies that are not complete.
    """

    def __init__(self, answer: Callable[[Connection, Stream, bytes], None], *, held: int = HELD) -> None:
        self._answer = answer
        self._reader = Reader(Decoder(HEADER_LIST))
        self._sender = Sender()
        self._streams: dict[int, Stream] = {}
        self._framer = Framer(HEADER_LIST)
        self._last = 0
        self._resets: deque[int] = deque(maxlen=REMEMBERED_RESETS)
        self._room = ROOM
        self._free = held
        self._strikes = 0
        self._leaving = False
        self.closed = False
        self._sender.write(_HELLO)

    def receive(self, data: bytes) -> None:
        """Take in what came from the socket, cut anywhere; raises nothing but what *answer* raises."""
        if self.closed:
            return
        try:
            for kind, flags, number, payload in self._framer.frames(data):
                if kind < len(self._HANDLERS):
                    self._handle(kind, flags, number, payload)
        except ConnectionFault as fault:
            self._abort(fault.code, fault.message)
        self._pump()

    def take(self) -> bytes:
        """The bytes to send next; empty when there are none for now."""
        data = self._sender.take()
        self._pump()
        return data

    def respond(self, stream: Stream, head: bytes, body: bytes = b"", tail: bytes = b"") -> None:
        """Answer a request with header block, body and trailer block; nothing happens if the peer reset it."""
        if stream.closed or self.closed:
            return
        if self._sender.respond(stream, head, body, tail):
            self._finish(stream)
        else:
            self._pump()

    def leave(self) -> None:
        """Say that no further request will be answered (GOAWAY); those at hand still are."""
        if not self._leaving:
            self._leaving = True
            self._sender.write(frames.goaway(self._last, NO_ERROR, ""))

    def lose(self) -> None:
        """The peer is gone: forget its requests."""
        for stream in list(self._streams.values()):
            self._drop(stream)
        self.closed = True

    def _handle(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        try:
            self._HANDLERS[kind](self, flags, number, payload)
        except StreamFault as fault:
            self._reset(fault.stream, fault.code)
            self._strike()

    def _data(self, flags: int, number: int, payload: bytes) -> None:
        self._spend(len(payload))
        stream = self._streams.get(number)
        if stream is None or stream.ended:
            self._check_idle(number)
            if stream is None and number in self._resets:
                return
            raise StreamFault(STREAM_CLOSED, number, "DATA after the end")
        if len(payload) > stream.room:
            raise StreamFault(FLOW_CONTROL_ERROR, number, "stream window exceeded")
        stream.room -= len(payload)
        if flags & PADDED:
            payload = unpad(payload)
        if flags & END_STREAM and not stream.received:
            stream.received = len(payload)
            self._end(stream, payload)
            return
        self._hold(stream, payload)
        if flags & END_STREAM:
            self._end(stream, bytes(stream.body))
        elif stream.room <= STREAM_ROOM // 2:
            self._sender.write(frames.window_update(number, STREAM_ROOM - stream.room))
            stream.room = STREAM_ROOM

    def _spend(self, size: int) -> None:
        """Count received bytes against the connection's window, and give it back by halves."""
        if size > self._room:
            raise ConnectionFault(FLOW_CONTROL_ERROR, "connection window exceeded")
        self._room -= size
        if self._room <= ROOM // 2:
            self._sender.write(frames.window_update(0, ROOM - self._room))
            self._room = ROOM

    def _hold(self, stream: Stream, payload: bytes) -> None:
        if not payload:
            self._strike()
        if len(payload) > self._free:
            raise StreamFault(ENHANCE_YOUR_CALM, stream.id, "request bodies take too much memory")
        self._free -= len(payload)
        stream.received += len(payload)
        stream.body += payload

    def _headers(self, flags: int, number: int, block: bytes) -> None:
        """A new request, or the trailers of one under way."""
        if not number & 1:
            raise ConnectionFault(PROTOCOL_ERROR, "HEADERS on a stream that is not the client's")
        if number <= self._last:
            self._trailers(flags, number, block)
            return
        self._last = number
        request = self._reader.request(block, number)
        if self._leaving or len(self._streams) >= STREAMS:
            raise StreamFault(REFUSED_STREAM, number, "leaving, or too many requests at a time")
        stream = Stream(number, request, room=STREAM_ROOM, window=self._sender.initial)
        self._streams[number] = stream
        if flags & END_STREAM:
            self._end(stream, b"")

    def _trailers(self, flags: int, number: int, block: bytes) -> None:
        stream = self._streams.get(number)
        if stream is None and number not in self._resets:
            raise ConnectionFault(STREAM_CLOSED, "HEADERS on a closed stream")
        self._reader.trailers(block, number)
        if stream is None:
            return
        if stream.ended:
            raise StreamFault(STREAM_CLOSED, number, "HEADERS after the end")
        if not flags & END_STREAM:
            raise StreamFault(PROTOCOL_ERROR, number, "trailers that do not end the stream")
        self._end(stream, bytes(stream.body))

    def _end(self, stream: Stream, body: bytes) -> None:
        """The peer has said all of a request."""
        if stream.request.length not in (-1, stream.received):
            raise StreamFault(PROTOCOL_ERROR, stream.id, "body is not as long as content-length says")
        stream.ended = True
        self._release(stream)
        self._answer(self, stream, body)

    def _priority(self, _flags: int, number: int, payload: bytes) -> None:
        frames.check_priority(number, payload)

    def _reset_by_peer(self, _flags: int, number: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise ConnectionFault(FRAME_SIZE_ERROR, "RST_STREAM is not 4 bytes")
        self._check_idle(number)
        stream = self._streams.get(number)
        if stream is not None:
            self._strike()
            self._drop(stream)

    def _settings(self, flags: int, number: int, payload: bytes) -> None:
        for key, value in frames.read_settings(flags, number, payload):
            if key == frames.INITIAL_WINDOW_SIZE:
                self._sender.resize(value, self._streams.values())
            elif key == frames.MAX_FRAME_SIZE:
                self._sender.frame_size = value
        if not flags & ACK:
            self._sender.write(frames.SETTINGS_ACK)

    def _ping(self, flags: int, number: int, payload: bytes) -> None:
        frames.check_ping(number, payload)
        if not flags & ACK:
            self._sender.write(frames.frame(frames.PING, ACK, 0, payload))

    def _goaway(self, _flags: int, number: int, payload: bytes) -> None:
        frames.check_goaway(number, payload)  # and nothing to do: the peer hangs up when it has its answers

    def _window(self, _flags: int, number: int, payload: bytes) -> None:
        credit = frames.read_credit(number, payload)
        if not number:
            self._sender.grant(credit)
            return
        self._check_idle(number)
        stream = self._streams.get(number)
        if stream is not None:
            widen(stream, credit)

    def _unexpected(self, _flags: int, _number: int, _payload: bytes) -> None:
        raise ConnectionFault(PROTOCOL_ERROR, "PUSH_PROMISE, or CONTINUATION of nothing")

    _HANDLERS = (
        *(_data, _headers, _priority, _reset_by_peer, _settings),
        *(_unexpected, _ping, _goaway, _window, _unexpected),
    )  # by frame type

    def _check_idle(self, number: int) -> None:
        """Raise ConnectionFault for a stream that never was; the even ones are ours, and we open none."""
        if number > self._last or not number & 1:
            raise ConnectionFault(PROTOCOL_ERROR, "frame on a stream that was not opened")

    def _strike(self) -> None:
        self._strikes += 1
        if self._strikes > STRIKES:
            raise ConnectionFault(ENHANCE_YOUR_CALM, "too many resets, faults or empty frames")

    def _pump(self) -> None:
        for stream in self._sender.pump():
            self._finish(stream)

    def _finish(self, stream: Stream) -> None:
        """A response is wholly on its way; a request that is still coming in is cut off."""
        self._strikes = max(0, self._strikes - 1)
        if stream.ended:
            self._drop(stream)
        else:
            self._reset(stream.id, NO_ERROR)

    def _reset(self, number: int, code: int) -> None:
        self._sender.write(frames.reset(number, code))
        self._resets.append(number)
        stream = self._streams.get(number)
        if stream is not None:
            self._drop(stream)

    def _drop(self, stream: Stream) -> None:
        self._release(stream)
        stream.closed = True
        del self._streams[stream.id]

    def _release(self, stream: Stream) -> None:
        if stream.body:
            self._free += len(stream.body)
            stream.body = bytearray()

    def _abort(self, code: int, message: str) -> None:
        self._sender.write(frames.goaway(self._last, code, message))
        self.lose()
