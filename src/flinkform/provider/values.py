"""Terraform's values of one type: the protocol's bytes in, plain Python out, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from flinkform.provider.protocol import msgpack, protobuf
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.schema.model import Attribute
from flinkform.schema.types import ListOf, MapOf, Number, Object, Type

Values = Mapping[str, Any]
"""The attributes of one object by name; `None` is null, `UNKNOWN` is known after apply."""

NULL = protobuf.bytes_(1, b"\xc0")
"""The DynamicValue of an object that is not there."""


_FRESH = 64
"""Objects kept for a second look. Core walks ten resources at a time and sends each one's configuration and state with
several calls in a row, and a look costs a tenth of what reading the bytes anew does."""


class Form:
    """Reads and writes objects with given attributes; one is made per type, since every call goes through it."""

    __slots__ = ("_names", "_numbers", "glance")

    def __init__(self, attributes: Iterable[Attribute]) -> None:
        kept = tuple(attributes)
        self._names = tuple(a.name for a in kept)
        self._numbers = tuple((a.name, a.type) for a in kept if _numeric(a.type))
        self.glance = lru_cache(_FRESH)(self.load)
        """As `load`, for who only looks: the same bytes give the same object while few others came in between."""

    def load(self, data: bytes) -> dict[str, Any] | None:
        """Return the object in a DynamicValue, or `None` if it is null."""
        if data == NULL or not data:
            return None
        values: dict[str, Any] | None = plain(data)
        if values is not None:
            for name, kind in self._numbers:
                if values.get(name) is not None:
                    values[name] = _counted(kind, values[name])
        return values

    def dump(self, values: Values | None) -> bytes:
        """Return the DynamicValue of *values*; an attribute it lacks is null."""
        if values is None:
            return NULL
        return protobuf.bytes_(1, msgpack.pack({name: values.get(name) for name in self._names}))


def plain(data: bytes) -> Any:
    """Return what a DynamicValue holds, whichever of its two forms it uses."""
    fields = protobuf.read(data)
    if packed := fields.get(1):
        return msgpack.unpack(bytes(packed))
    if text := fields.get(2):
        import json  # here because Terraform itself never sends JSON except for old state  # noqa: PLC0415

        return json.loads(bytes(text))
    return None


def known(value: Any) -> bool:
    """Say whether *value* holds nothing unknown, however deep."""
    if value is UNKNOWN:
        return False
    if isinstance(value, dict):
        return all(map(known, value.values()))
    return not isinstance(value, list) or all(map(known, value))


def settled(value: Any) -> Any:
    """Return *value* with null for what is unknown: state must hold nothing unknown."""
    if value is UNKNOWN:
        return None
    # Values are what msgpack makes: dicts and lists. Asking for the abstract kinds takes ten times as long.
    if isinstance(value, dict):
        return {key: settled(item) for key, item in value.items()}
    return [settled(item) for item in value] if isinstance(value, list) else value


def same(left: Any, right: Any) -> bool:
    """Say whether two values mean the same: null, `""`, `[]` and `{}` all say that nothing is there."""
    if left is UNKNOWN or right is UNKNOWN:
        return left is right
    return bool(left == right or (left in _NOTHING and right in _NOTHING))


_NOTHING: tuple[Any, ...] = (None, "", [], {})


def _numeric(kind: Type) -> bool:
    if isinstance(kind, ListOf | MapOf):
        return _numeric(kind.item)
    if isinstance(kind, Object):
        return any(_numeric(a.type) for a in kind.attributes)
    return isinstance(kind, Number)


def _counted(kind: Type, value: Any) -> Any:
    """Return *value* with numbers that came as text (no float64 is exactly 0.1) as numbers."""
    if value is None or value is UNKNOWN:
        return value
    if isinstance(kind, Number):
        return _number(value) if isinstance(value, str) else value
    if isinstance(kind, Object):
        kinds = {a.name: a.type for a in kind.attributes}
        return {name: _counted(kinds[name], item) for name, item in value.items()}
    if isinstance(kind, ListOf):
        return [_counted(kind.item, item) for item in value]
    if isinstance(kind, MapOf):
        return {name: _counted(kind.item, item) for name, item in value.items()}
    return value


def _number(text: str) -> int | float | str:
    try:
        number = Decimal(text)
        return int(number) if number == number.to_integral_value() else float(number)
    except (InvalidOperation, OverflowError, ValueError):
        return text
