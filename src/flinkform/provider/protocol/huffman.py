"""HPACK's Huffman code (RFC 7541, appendix B), read only: nothing sent here is long enough to gain from it."""

from __future__ import annotations

from flinkform.provider.protocol.faults import ConnectionFault
from flinkform.provider.protocol.frames import COMPRESSION_ERROR

# fmt: off
LENGTHS = bytes((
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28,
    28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
    23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19,
    22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
    27, 27, 27, 26, 30,
))
# fmt: on
"""Bits of each symbol's code. The code is canonical, so the lengths are all of it; the last one is EOS."""

EOS = 256
SHORTEST = 5

_symbols: dict[tuple[int, int], int] = {}


def decode(data: bytes) -> bytes:
    """The text behind *data*; raises ConnectionFault when it is not a Huffman code's."""
    symbols = _symbols or _build()
    out = bytearray()
    code = length = 0
    for byte in data:
        for shift in (7, 6, 5, 4, 3, 2, 1, 0):
            code = code << 1 | byte >> shift & 1
            length += 1
            if length >= SHORTEST and (symbol := symbols.get((length, code))) is not None:
                if symbol == EOS:
                    raise ConnectionFault(COMPRESSION_ERROR, "Huffman code holds EOS")
                out.append(symbol)
                code = length = 0
    if length > 7 or code != (1 << length) - 1:
        raise ConnectionFault(COMPRESSION_ERROR, "Huffman code is not padded with at most 7 ones")
    return bytes(out)


def _build() -> dict[tuple[int, int], int]:
    """(length, code) -> symbol, made at the first use: a quick handshake never gets here."""
    symbols = {}
    code = previous = 0
    for symbol in sorted(range(len(LENGTHS)), key=lambda symbol: (LENGTHS[symbol], symbol)):
        length = LENGTHS[symbol]
        code <<= length - previous
        symbols[length, code] = symbol
        code += 1
        previous = length
    _symbols.update(symbols)  # in one step: another thread sees none of it or all
    return _symbols
