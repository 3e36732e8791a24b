"""Protobuf by field number: what Terraform's messages need and no more."""

from __future__ import annotations

from collections.abc import Iterator

from flinkform.provider.protocol.faults import Malformed

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_TAGS = {number: bytes((number << 3 | BYTES,)) for number in range(1, 16)}
_FIXED = {FIXED64: 8, FIXED32: 4}
_VARINT_BITS = 63  # a ten-byte varint starts its last byte at this bit


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Every field in order: (number, unsigned int for varints, bytes for the rest).

    Raises Malformed on truncated data, groups, field number 0 and varints over ten bytes.
    """
    position = 0
    end = len(data)
    while position < end:
        tag = data[position]
        position += 1
        if tag > 0x7F:
            tag, position = _varint(data, position - 1)
        number, kind = tag >> 3, tag & 7
        if not number:
            raise Malformed("expected a protobuf field number, got 0")
        if kind == VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        size, position = _size(data, position, kind)
        if position + size > end:
            raise Malformed(f"expected {size} bytes of protobuf field {number}, got {end - position}")
        yield number, data[position : position + size]
        position += size


def read(data: bytes) -> dict[int, int | bytes]:
    """The last value of each field, as proto3 reads a field that is not repeated."""
    return dict(fields(data))


def _size(data: bytes, position: int, kind: int) -> tuple[int, int]:
    if kind == BYTES:
        return _varint(data, position)
    if kind in _FIXED:
        return _FIXED[kind], position
    raise Malformed(f"expected protobuf wire type 0, 1, 2 or 5, got {kind}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    try:
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & 0xFFFFFFFFFFFFFFFF, position
            shift += 7
            if shift > _VARINT_BITS:
                raise Malformed("expected a protobuf varint of at most 10 bytes, got more")
    except IndexError:
        raise Malformed("expected a whole protobuf varint, got the end of the data") from None


def varint(value: int) -> bytes:
    """The base-128 form; a negative int takes ten bytes, as protobuf's int64 does."""
    if 0 <= value < 0x80:
        return bytes((value,))
    if not -(1 << 63) <= value < 1 << 64:
        raise Malformed("expected an integer of 64 bits to write as protobuf, got a larger one")
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def uint(number: int, value: int) -> bytes:
    """A varint field (ints and enums); zero is left out."""
    return varint(number << 3) + varint(value) if value else b""


def boolean(number: int, value: bool) -> bytes:
    """A bool field; False is left out."""
    return varint(number << 3) + b"\1" if value else b""


def bytes_(number: int, value: bytes) -> bytes:
    """A bytes field; empty is left out."""
    return message(number, value) if value else b""


def string(number: int, value: str) -> bytes:
    """A string field; empty is left out."""
    return message(number, value.encode()) if value else b""


def message(number: int, *parts: bytes) -> bytes:
    """A nested message made of encoded fields; written even when empty, since its presence says something."""
    size = sum(map(len, parts))
    tag = _TAGS.get(number) or varint(number << 3 | BYTES)
    return b"".join((tag, varint(size), *parts))


def entry(number: int, key: str, value: bytes) -> bytes:
    """One entry of a ``map<string, Message>`` field; *value* is the encoded message."""
    return message(number, string(1, key), message(2, value))
