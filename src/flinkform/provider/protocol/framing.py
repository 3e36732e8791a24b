"""Cuts the bytes of an HTTP/2 connection into frames, with each header block in one piece (RFC 9113, section 4)."""

from __future__ import annotations

from collections.abc import Iterator

from flinkform.provider.protocol.faults import ConnectionFault
from flinkform.provider.protocol.frames import (
    ACK,
    CONTINUATION,
    END_HEADERS,
    ENHANCE_YOUR_CALM,
    FRAME_SIZE,
    FRAME_SIZE_ERROR,
    HEAD,
    HEADERS,
    MAX_WINDOW,
    PADDED,
    PREFACE,
    PRIORITIZED,
    PROTOCOL_ERROR,
    SETTINGS,
)

PIECES = 64
"""Frames that one header block may come in, empty ones included."""

_PARTS = END_HEADERS | PADDED | PRIORITIZED

Frame = tuple[int, int, int, bytes]
"""Type, flags, stream, payload."""


class Framer:
    """Holds the bytes of a frame that has not wholly come; *limit* bounds a header block."""

    __slots__ = ("_block", "_buffer", "_greeted", "_limit", "_settled")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffer = b""
        self._greeted = False
        self._settled = False
        self._block: Block | None = None

    def frames(self, data: bytes) -> Iterator[Frame]:
        """The frames that *data* completes; raises ConnectionFault where they stop being HTTP/2.

        Padding, priority and CONTINUATION are taken off header blocks: each comes as one HEADERS.
        """
        if self._buffer:
            data = self._buffer + data
        position = 0 if self._greeted else self._greet(data)
        end = len(data) if self._greeted else 0
        while end - position >= HEAD.size:
            sized, flags, number = HEAD.unpack_from(data, position)
            size = sized >> 8
            if size > FRAME_SIZE:
                raise ConnectionFault(FRAME_SIZE_ERROR, f"frame of {size} bytes, {FRAME_SIZE} allowed")
            start = position + HEAD.size
            if end - start < size:
                break
            position = start + size
            kind = sized & 0xFF
            number &= MAX_WINDOW
            payload = data[start:position]
            if self._settled and self._block is None and (kind != HEADERS or flags & _PARTS == END_HEADERS):
                yield kind, flags, number, payload
            elif (frame := self._headers(kind, flags, number, payload)) is not None:
                yield frame
        self._buffer = data[position:]

    def _greet(self, data: bytes) -> int:
        if not PREFACE.startswith(data[: len(PREFACE)]):
            raise ConnectionFault(PROTOCOL_ERROR, "this is no HTTP/2")
        self._greeted = len(data) >= len(PREFACE)
        return len(PREFACE) if self._greeted else 0

    def _headers(self, kind: int, flags: int, number: int, payload: bytes) -> Frame | None:
        """A HEADERS frame with something to take off, what follows it, or the first frame of all."""
        if not self._settled:
            if kind != SETTINGS or flags & ACK:
                raise ConnectionFault(PROTOCOL_ERROR, "first frame is not SETTINGS")
            self._settled = True
            return kind, flags, number, payload
        if self._block is None:
            block = Block(number, flags, _bare(flags, number, payload))
        else:
            block = self._continue(kind, number, payload)
        if flags & END_HEADERS:
            self._block = None
            return HEADERS, block.flags, number, bytes(block.data)
        self._block = block
        return None

    def _continue(self, kind: int, number: int, payload: bytes) -> Block:
        block = self._block
        if block is None or kind != CONTINUATION or number != block.stream:
            raise ConnectionFault(PROTOCOL_ERROR, "header block and CONTINUATION do not follow each other")
        block.data += payload
        block.pieces += 1
        if len(block.data) > self._limit or block.pieces > PIECES:
            raise ConnectionFault(ENHANCE_YOUR_CALM, f"header block is over {self._limit} bytes or {PIECES} frames")
        return block


class Block:
    """A header block that CONTINUATION frames may go on with."""

    __slots__ = ("data", "flags", "pieces", "stream")

    def __init__(self, stream: int, flags: int, data: bytes) -> None:
        self.stream = stream
        self.flags = flags
        self.data = bytearray(data)
        self.pieces = 1


def unpad(payload: bytes) -> bytes:
    """The payload of a PADDED frame without its padding."""
    if not payload or payload[0] >= len(payload):
        raise ConnectionFault(PROTOCOL_ERROR, "padding is longer than its frame")
    return payload[1 : len(payload) - payload[0]]


def _bare(flags: int, number: int, payload: bytes) -> bytes:
    """The header block of a HEADERS frame without padding and priority."""
    if flags & PADDED:
        payload = unpad(payload)
    if not flags & PRIORITIZED:
        return payload
    if len(payload) < 5:
        raise ConnectionFault(FRAME_SIZE_ERROR, "HEADERS is too short for its priority")
    if int.from_bytes(payload[:4], "big") & MAX_WINDOW == number:
        raise ConnectionFault(PROTOCOL_ERROR, "stream depends on itself")
    return payload[5:]
