"""Terraform values (cty) as msgpack: generic codecs miss that numbers may be strings and values unknown."""

from __future__ import annotations

import struct
from collections.abc import Callable
from sys import modules

from flinkform.provider.protocol.faults import Malformed
from flinkform.provider.protocol.unknown import UNKNOWN

__all__ = ["UNKNOWN", "pack", "unpack"]

TYPE_CHECKING = False  # typing costs the start some milliseconds; type checkers know this name
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 128
"""Containers inside containers; Terraform's own configuration language gives out far earlier."""

MAX_BITS = 4096
"""Terraform keeps 512 bits of a number; Python refuses to print one of over 4300 digits."""

PLAIN, REFINED = 0, 12
"""cty's two extensions: an unknown value, and one about which something is known (not null, a prefix, ...)."""

_Reader = Callable[[bytes, int, int], "tuple[Any, int]"]
_FLOAT32 = struct.Struct(">f")
_FLOAT64 = struct.Struct(">d")
_INT64 = struct.Struct(">q")


def unpack(data: bytes) -> Any:
    """One value. Raises Malformed on anything but exactly one well-formed value."""
    try:
        value, position = _read(data, 0, 0)
    except (IndexError, struct.error, UnicodeDecodeError):
        # A slice past the end comes back short, so the next read, or the check below, finds the end.
        raise Malformed("expected a whole msgpack value, got truncated or non-UTF-8 data") from None
    if position != len(data):
        raise Malformed(f"expected one msgpack value of {len(data)} bytes, got one that ends at {position}")
    return value


def _read(data: bytes, position: int, depth: int) -> tuple[Any, int]:
    lead = data[position]
    if 0xA0 <= lead < 0xC0:
        end = position + 1 + (lead & 31)
        return data[position + 1 : end].decode(), end
    return _READERS[lead](data, position + 1, depth)


def _constant(value: Any) -> _Reader:
    return lambda _data, position, _depth: (value, position)


def _integer(width: int, *, signed: bool) -> _Reader:
    def read(data: bytes, position: int, _depth: int) -> tuple[int, int]:
        end = position + width
        return int.from_bytes(data[position:end], "big", signed=signed), end

    return read


def _floating(form: struct.Struct) -> _Reader:
    return lambda data, position, _depth: (form.unpack_from(data, position)[0], position + form.size)


def _length(data: bytes, position: int, width: int) -> tuple[int, int]:
    end = position + width
    if end > len(data):
        raise IndexError
    return int.from_bytes(data[position:end], "big"), end


def _text(width: int) -> _Reader:
    def read(data: bytes, position: int, _depth: int) -> tuple[str, int]:
        size, start = _length(data, position, width)
        return data[start : start + size].decode(), start + size

    return read


def _binary(width: int) -> _Reader:
    def read(data: bytes, position: int, _depth: int) -> tuple[bytes, int]:
        size, start = _length(data, position, width)
        return data[start : start + size], start + size

    return read


def _array(width: int, count: int = 0) -> _Reader:
    def read(data: bytes, position: int, depth: int) -> tuple[list[Any], int]:
        size, position = _length(data, position, width) if width else (count, position)
        depth = _deeper(depth)
        out = []
        for _ in range(size):
            value, position = _read(data, position, depth)
            out.append(value)
        return out, position

    return read


def _map(width: int, count: int = 0) -> _Reader:
    def read(data: bytes, position: int, depth: int) -> tuple[dict[str, Any], int]:
        size, position = _length(data, position, width) if width else (count, position)
        depth = _deeper(depth)
        out: dict[str, Any] = {}
        for _ in range(size):
            lead = data[position]
            if 0xA0 <= lead < 0xC0:  # a short key, as nearly all are: no call, a third of the time
                end = position + 1 + (lead & 31)
                key, position = data[position + 1 : end].decode(), end
            else:
                key, position = _read(data, position, depth)
                if key.__class__ is not str:
                    raise Malformed("expected a string as msgpack map key, got another type")
            lead = data[position]
            if 0xA0 <= lead < 0xC0:  # and so are half the values
                end = position + 1 + (lead & 31)
                out[key], position = data[position + 1 : end].decode(), end
            else:
                out[key], position = _READERS[lead](data, position + 1, depth)
        return out, position

    return read


def _deeper(depth: int) -> int:
    if depth >= MAX_DEPTH:
        raise Malformed(f"expected a msgpack value nested at most {MAX_DEPTH} deep, got more")
    return depth + 1


def _extension(width: int, size: int = 0) -> _Reader:
    def read(data: bytes, position: int, _depth: int) -> tuple[object, int]:
        length, position = _length(data, position, width) if width else (size, position)
        if data[position] not in (PLAIN, REFINED):
            raise Malformed(f"expected msgpack extension {PLAIN} or {REFINED}, got {data[position]}")
        return UNKNOWN, position + 1 + length

    return read


def _reserved(_data: bytes, _position: int, _depth: int) -> tuple[Any, int]:
    raise Malformed("expected a msgpack value, got the reserved byte 0xc1")


def _readers() -> tuple[_Reader, ...]:
    """One reader for each lead byte, in the order of the msgpack specification's table."""
    return (
        *map(_constant, range(0x80)),
        *(_map(0, count) for count in range(16)),
        *(_array(0, count) for count in range(16)),
        *(_reserved,) * 32,  # fixstr: read in _read, which is faster
        *(_constant(None), _reserved, _constant(False), _constant(True)),
        *(_binary(1), _binary(2), _binary(4)),
        *(_extension(1), _extension(2), _extension(4)),
        *(_floating(_FLOAT32), _floating(_FLOAT64)),
        *(_integer(width, signed=False) for width in (1, 2, 4, 8)),
        *(_integer(width, signed=True) for width in (1, 2, 4, 8)),
        *(_extension(0, size) for size in (1, 2, 4, 8, 16)),
        *(_text(1), _text(2), _text(4)),
        *(_array(2), _array(4), _map(2), _map(4)),
        *map(_constant, range(-32, 0)),
    )


_READERS = _readers()


def pack(value: object) -> bytes:
    """One value as cty reads it.

    An int outside 64 bits and a Decimal become strings, which cty takes for numbers. Raises Malformed for what
    Terraform has no value for: NaN, other types, deep nesting, map keys that are no strings.
    """
    out: list[bytes] = []
    try:
        _write(value, out.append, 0)
    except UnicodeEncodeError:
        raise Malformed("expected text that UTF-8 can hold, got a lone surrogate") from None
    return b"".join(out)


def _write(value: object, write: Callable[[bytes], None], depth: int) -> None:
    writer = _WRITERS.get(value.__class__)
    if writer is None:
        _write(_plain(value), write, depth)
    else:
        writer(value, write, depth)


def _plain(value: object) -> object:
    """The value of a subclass (an enum, say) or of a Decimal as one of the types that have a writer."""
    if isinstance(value, str):
        return str.__str__(value)  # str() of an enum may be its name
    for kind in _KINDS:
        if isinstance(value, kind):
            return kind(value)
    decimal = modules.get("decimal")  # nobody holds a Decimal unless the module is loaded
    if decimal is not None and isinstance(value, decimal.Decimal) and not value.is_nan():
        return str(value)
    raise Malformed(f"expected a value Terraform knows, got {value.__class__.__name__}")


def _write_text(value: str, write: Callable[[bytes], None], _depth: int) -> None:
    data = value.encode()
    size = len(data)
    if size < 32:
        write(bytes((0xA0 | size,)) + data)
    elif size < 0x100:
        write(bytes((0xD9, size)) + data)
    else:
        write(_head(0xDA, size) + data)


def _head(lead: int, size: int) -> bytes:
    """A two-byte length after *lead*, or a four-byte one after the lead that follows it."""
    if size < 0x10000:
        return bytes((lead,)) + size.to_bytes(2, "big")
    return bytes((lead + 1,)) + size.to_bytes(4, "big")


def _write_bytes(value: bytes, write: Callable[[bytes], None], _depth: int) -> None:
    size = len(value)
    write((bytes((0xC4, size)) if size < 0x100 else _head(0xC5, size)) + value)


def _write_int(value: int, write: Callable[[bytes], None], depth: int) -> None:
    if -32 <= value < 128:
        write(bytes((value & 0xFF,)))
    elif -(1 << 63) <= value < 1 << 63:
        write(b"\xd3" + _INT64.pack(value))
    elif value.bit_length() > MAX_BITS:
        raise Malformed(f"expected a number of at most {MAX_BITS} bits, got one of {value.bit_length()}")
    else:
        _write_text(str(value), write, depth)


def _write_float(value: float, write: Callable[[bytes], None], _depth: int) -> None:
    if value != value:  # noqa: PLR0124  NaN, without importing math
        raise Malformed("expected a number, got NaN")
    write(b"\xcb" + _FLOAT64.pack(value))


def _write_map(value: dict[Any, Any], write: Callable[[bytes], None], depth: int) -> None:
    size = len(value)
    depth = _deeper(depth)
    write(bytes((0x80 | size,)) if size < 16 else _head(0xDE, size))
    for key, item in value.items():
        if not isinstance(key, str):
            raise Malformed(f"expected a string as map key, got {key.__class__.__name__}")
        _write_text(key, write, depth)
        _write(item, write, depth)


def _write_array(value: list[Any], write: Callable[[bytes], None], depth: int) -> None:
    size = len(value)
    depth = _deeper(depth)
    write(bytes((0x90 | size,)) if size < 16 else _head(0xDC, size))
    for item in value:
        _write(item, write, depth)


def _write_constant(data: bytes) -> Callable[[Any, Callable[[bytes], None], int], None]:
    return lambda _value, write, _depth: write(data)


_KINDS: tuple[Any, ...] = (int, float, dict, list, tuple, bytes)
_BOOLEANS = {False: b"\xc2", True: b"\xc3"}
_WRITERS: dict[type, Callable[[Any, Callable[[bytes], None], int], None]] = {
    str: _write_text,
    type(None): _write_constant(b"\xc0"),
    bool: lambda value, write, _depth: write(_BOOLEANS[value]),
    int: _write_int,
    dict: _write_map,
    list: _write_array,
    tuple: _write_array,
    type(UNKNOWN): _write_constant(b"\xd4\0\0"),
    float: _write_float,
    bytes: _write_bytes,
}
