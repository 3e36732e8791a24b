"""What a header block asks for: the rules of HTTP/2 requests (RFC 9113, section 8), remembered by block."""

from __future__ import annotations

from flinkform.provider.protocol.faults import StreamFault
from flinkform.provider.protocol.frames import PROTOCOL_ERROR
from flinkform.provider.protocol.hpack import Decoder, Header

REMEMBERED_BLOCK = 1024
REMEMBERED_BLOCKS = 256

_PSEUDO = frozenset((b":method", b":scheme", b":path", b":authority"))
_CONNECTION = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
_UPPER = frozenset(range(ord("A"), ord("Z") + 1))
_FORBIDDEN = frozenset((*range(0x21), ord(":"), *range(0x7F, 0x100))) | _UPPER


class Request:
    """The headers of one request, as a mapping, and the length its body must have (-1: any)."""

    __slots__ = ("headers", "length", "method", "path")

    def __init__(self, headers: dict[bytes, bytes], length: int) -> None:
        self.headers = headers
        self.method = headers[b":method"]
        self.path = headers[b":path"]
        self.length = length


class Reader:
    """Turns header blocks of one connection into requests.

    Once grpc-go has filled the dynamic table, the blocks of its calls are the same bytes again and again, so a block
    that left the table alone is looked up the next time, not decoded.
    """

    __slots__ = ("_decoder", "_epoch", "_known")

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._epoch = 0
        self._known: dict[bytes, Request] = {}

    def request(self, block: bytes, stream: int) -> Request:
        """The request; raises StreamFault when it breaks HTTP, ConnectionFault when it is not HPACK."""
        known = self._known.get(block)
        if known is not None:
            return known
        headers, pure = self._decode(block)
        request = check(headers, stream)
        if pure and len(block) <= REMEMBERED_BLOCK:
            if len(self._known) >= REMEMBERED_BLOCKS:
                self._known.clear()
            self._known[block] = request
        return request

    def trailers(self, block: bytes, stream: int) -> None:
        """Keep the table in step with a trailer block and check it; gRPC requests carry none that matter."""
        for name, _ in self._decode(block)[0]:
            if name.startswith(b":"):
                raise StreamFault(PROTOCOL_ERROR, stream, "pseudo-header in trailers")
            _check_name(name, stream)

    def _decode(self, block: bytes) -> tuple[list[Header], bool]:
        headers = self._decoder.decode(block)
        if self._decoder.epoch == self._epoch:
            return headers, True
        self._epoch = self._decoder.epoch
        self._known.clear()  # table indices mean something else now
        return headers, False


def check(headers: list[Header], stream: int) -> Request:
    """The request these headers make; raises StreamFault when they break the rules."""
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name.startswith(b":"):
            _check_pseudo(name, found, stream)
        else:
            _check_field(name, value, stream)
        found.setdefault(name, value)
    for name in (b":method", b":scheme", b":path"):
        if not found.get(name):
            raise StreamFault(PROTOCOL_ERROR, stream, f"request has no {name.decode()}")
    return Request(found, _length(headers, stream))


def _check_pseudo(name: bytes, found: dict[bytes, bytes], stream: int) -> None:
    if name not in _PSEUDO:
        raise StreamFault(PROTOCOL_ERROR, stream, "unknown pseudo-header")
    if name in found:
        raise StreamFault(PROTOCOL_ERROR, stream, "pseudo-header given twice")
    if not _PSEUDO.issuperset(found):
        raise StreamFault(PROTOCOL_ERROR, stream, "pseudo-header after a regular one")


def _check_field(name: bytes, value: bytes, stream: int) -> None:
    _check_name(name, stream)
    if name in _CONNECTION or (name == b"te" and value != b"trailers"):
        raise StreamFault(PROTOCOL_ERROR, stream, "header that belongs to a connection")
    if b"\0" in value or b"\r" in value or b"\n" in value:
        raise StreamFault(PROTOCOL_ERROR, stream, "header value with a line break or NUL")


def _check_name(name: bytes, stream: int) -> None:
    if not name or not _FORBIDDEN.isdisjoint(name):
        raise StreamFault(PROTOCOL_ERROR, stream, "header name is empty, upper case or not of printable characters")


def _length(headers: list[Header], stream: int) -> int:
    given = {value for name, value in headers if name == b"content-length"}
    if not given:
        return -1
    text = given.pop()
    if given or not text.isdigit() or len(text) > 18:
        raise StreamFault(PROTOCOL_ERROR, stream, "content-length is no number, or given twice")
    return int(text)
