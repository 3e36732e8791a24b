"""HPACK, the compression of HTTP/2 headers (RFC 7541): a full decoder, and literals to send."""

from __future__ import annotations

from collections import deque

from flinkform.provider.protocol import huffman
from flinkform.provider.protocol.faults import ConnectionFault
from flinkform.provider.protocol.frames import COMPRESSION_ERROR, ENHANCE_YOUR_CALM

Header = tuple[bytes, bytes]

TABLE_SIZE = 4096
"""Bytes of dynamic table we let the peer use: HTTP/2's default, so no setting announces it."""
OVERHEAD = 32
"""What an entry weighs besides its text, in the table and in a header list's size."""
MAX_INTEGER = 1 << 31

SHRINK = b"\x20"
"""Says that our own dynamic table is empty and stays so: valid whatever limit the peer sets, now or later."""

_TEXT = (
    ":authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|:status 200|:status 204|"
    ":status 206|:status 304|:status 400|:status 404|:status 500|accept-charset|accept-encoding gzip, deflate|"
    "accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|"
    "content-disposition|content-encoding|content-language|content-length|content-location|content-range|content-type|"
    "cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match|if-range|if-unmodified-since|"
    "last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|"
    "server|set-cookie|strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate"
)
STATIC: tuple[Header, ...] = tuple(
    (name, value) for name, _, value in (item.partition(b" ") for item in _TEXT.encode().split(b"|"))
)
"""Appendix A, counted from 0 here and from 1 on the wire."""


class Decoder:
    """Reads header blocks of one connection, in order; raises ConnectionFault on any that is not HPACK.

    *epoch* rises whenever a block changed the table, so that a caller may remember what a block meant.
    """

    __slots__ = ("_limit", "_max", "_size", "_table", "epoch")

    def __init__(self, limit: int) -> None:
        """*limit* bounds one header list, weighed as the dynamic table weighs it."""
        self._limit = limit
        self._table: deque[Header] = deque()
        self._size = 0
        self._max = TABLE_SIZE
        self.epoch = 0

    def decode(self, block: bytes) -> list[Header]:
        """The headers in order."""
        try:
            return self._decode(block)
        except IndexError:
            raise ConnectionFault(COMPRESSION_ERROR, "header block ends too early or names no table entry") from None

    def _decode(self, block: bytes) -> list[Header]:
        headers: list[Header] = []
        weight = position = 0
        while position < len(block):
            lead = block[position]
            if lead & 0xE0 == 0x20:
                if headers:
                    raise ConnectionFault(COMPRESSION_ERROR, "table size changes in the middle of a header block")
                position = self._resize(block, position)
                continue
            header, position = self._indexed(block, position) if lead & 0x80 else self._literal(block, position)
            weight += len(header[0]) + len(header[1]) + OVERHEAD
            if weight > self._limit:
                raise ConnectionFault(ENHANCE_YOUR_CALM, f"header list is over {self._limit} bytes")
            headers.append(header)
        return headers

    def _indexed(self, block: bytes, position: int) -> tuple[Header, int]:
        index, position = read_integer(block, position, 7)
        return self._entry(index), position

    def _literal(self, block: bytes, position: int) -> tuple[Header, int]:
        kept = block[position] & 0x40
        index, position = read_integer(block, position, 6 if kept else 4)
        if index:
            name = self._entry(index)[0]
        else:
            name, position = _text(block, position)
        value, position = _text(block, position)
        if kept:
            self._add((name, value))
        return (name, value), position

    def _entry(self, index: int) -> Header:
        if not index:
            raise IndexError
        return STATIC[index - 1] if index <= len(STATIC) else self._table[index - len(STATIC) - 1]

    def _add(self, header: Header) -> None:
        self.epoch += 1
        self._table.appendleft(header)
        self._size += len(header[0]) + len(header[1]) + OVERHEAD
        self._evict()

    def _resize(self, block: bytes, position: int) -> int:
        size, position = read_integer(block, position, 5)
        if size > TABLE_SIZE:
            raise ConnectionFault(COMPRESSION_ERROR, f"table size {size} is over the {TABLE_SIZE} allowed")
        self.epoch += 1
        self._max = size
        self._evict()
        return position

    def _evict(self) -> None:
        while self._size > self._max:
            name, value = self._table.pop()
            self._size -= len(name) + len(value) + OVERHEAD


def read_integer(block: bytes, position: int, bits: int) -> tuple[int, int]:
    """An integer whose first *bits* sit in the byte at *position*, and the position after it."""
    mask = (1 << bits) - 1
    value = block[position] & mask
    position += 1
    if value < mask:
        return value, position
    shift = 0
    while True:
        byte = block[position]
        position += 1
        value += (byte & 0x7F) << shift
        if value > MAX_INTEGER or shift > 28:
            raise ConnectionFault(COMPRESSION_ERROR, "integer in a header block is too large")
        if byte < 0x80:
            return value, position
        shift += 7


def _text(block: bytes, position: int) -> tuple[bytes, int]:
    compressed = block[position] & 0x80
    size, start = read_integer(block, position, 7)
    end = start + size
    if end > len(block):
        raise IndexError
    data = block[start:end]
    return (huffman.decode(data) if compressed else data), end


def integer(value: int, bits: int, lead: int = 0) -> bytes:
    """*value* with a prefix of *bits*, beside the flag bits of *lead*."""
    mask = (1 << bits) - 1
    if value < mask:
        return bytes((lead | value,))
    out = bytearray((lead | mask,))
    value -= mask
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def literal(name: bytes, value: bytes) -> bytes:
    """One header as a literal that enters no table, so what is sent is the same bytes every time."""
    return b"".join((b"\0", integer(len(name), 7), name, integer(len(value), 7), value))
