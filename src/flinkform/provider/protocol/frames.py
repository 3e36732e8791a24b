"""HTTP/2's numbers and the shape of a frame (RFC 9113, sections 4, 6 and 7)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from flinkform.provider.protocol.faults import ConnectionFault, StreamFault

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD = struct.Struct(">IBI")
"""Length and type together (length << 8 | type), flags, stream id with its reserved bit."""

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)

END_STREAM, END_HEADERS, PADDED, PRIORITIZED = 0x1, 0x4, 0x8, 0x20
ACK = 0x1

NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR = 0x0, 0x1, 0x2, 0x3
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL = 0x5, 0x6, 0x7, 0x8
COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 0x9, 0xB

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS = 1, 2, 3
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = 4, 5, 6

WINDOW = 65_535
"""Flow control windows start here."""
MAX_WINDOW = 0x7FFFFFFF
FRAME_SIZE = 16_384
"""The largest frame payload until SETTINGS say more; this server never says more."""
MAX_FRAME = 0xFFFFFF

SETTINGS_ACK = b"\0\0\0\x04\x01\0\0\0\0"


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame as bytes."""
    return HEAD.pack(len(payload) << 8 | kind, flags, stream) + payload


def settings(values: dict[int, int]) -> bytes:
    """A SETTINGS frame."""
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", key, value) for key, value in values.items()))


def reset(stream: int, code: int) -> bytes:
    """A RST_STREAM frame."""
    return frame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def window_update(stream: int, credit: int) -> bytes:
    """A WINDOW_UPDATE frame; stream 0 is the connection."""
    return frame(WINDOW_UPDATE, 0, stream, credit.to_bytes(4, "big"))


def goaway(last: int, code: int, message: str) -> bytes:
    """A GOAWAY frame; *last* is the highest stream that was worked on, *message* is for a person's trace."""
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code) + message.encode())


def read_settings(flags: int, stream: int, payload: bytes) -> Iterator[tuple[int, int]]:
    """Each (setting, value) in range; raises ConnectionFault on the first that is not."""
    if stream:
        raise ConnectionFault(PROTOCOL_ERROR, "SETTINGS on a stream")
    if len(payload) % 6 or (flags & ACK and payload):
        raise ConnectionFault(FRAME_SIZE_ERROR, "SETTINGS of a wrong size")
    for key, value in struct.iter_unpack(">HI", payload):
        if key == ENABLE_PUSH and value > 1:
            raise ConnectionFault(PROTOCOL_ERROR, "ENABLE_PUSH is neither 0 nor 1")
        if key == INITIAL_WINDOW_SIZE and value > MAX_WINDOW:
            raise ConnectionFault(FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE is over 2^31-1")
        if key == MAX_FRAME_SIZE and not FRAME_SIZE <= value <= MAX_FRAME:
            raise ConnectionFault(PROTOCOL_ERROR, "MAX_FRAME_SIZE is out of range")
        yield key, value


def read_credit(stream: int, payload: bytes) -> int:
    """By how much a WINDOW_UPDATE frame widens a window."""
    if len(payload) != 4:
        raise ConnectionFault(FRAME_SIZE_ERROR, "WINDOW_UPDATE is not 4 bytes")
    credit = int.from_bytes(payload, "big") & MAX_WINDOW
    if not credit:
        raise (
            StreamFault(PROTOCOL_ERROR, stream, "window grows by 0")
            if stream
            else ConnectionFault(PROTOCOL_ERROR, "window grows by 0")
        )
    return credit


def check_priority(stream: int, payload: bytes) -> None:
    """Raise for a PRIORITY frame that is none; priorities themselves mean nothing here."""
    if not stream:
        raise ConnectionFault(PROTOCOL_ERROR, "PRIORITY of the connection")
    if len(payload) != 5:
        raise StreamFault(FRAME_SIZE_ERROR, stream, "PRIORITY is not 5 bytes")
    if int.from_bytes(payload[:4], "big") & MAX_WINDOW == stream:
        raise StreamFault(PROTOCOL_ERROR, stream, "stream depends on itself")


def check_ping(stream: int, payload: bytes) -> None:
    """Raise for a PING frame that is none."""
    if stream:
        raise ConnectionFault(PROTOCOL_ERROR, "PING on a stream")
    if len(payload) != 8:
        raise ConnectionFault(FRAME_SIZE_ERROR, "PING is not 8 bytes")


def check_goaway(stream: int, payload: bytes) -> None:
    """Raise for a GOAWAY frame that is none."""
    if stream:
        raise ConnectionFault(PROTOCOL_ERROR, "GOAWAY on a stream")
    if len(payload) < 8:
        raise ConnectionFault(FRAME_SIZE_ERROR, "GOAWAY is under 8 bytes")
