"""Checking a configuration: every fault in it at once, each with the path of its attribute."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from flinkform.errors import Invalid, Path
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.provider.values import Values
from flinkform.schema.model import Attribute
from flinkform.schema.types import Bool, ListOf, MapOf, Object, String, Type


def faults(attributes: Collection[Attribute], values: Values, at: Path = ()) -> list[Invalid]:
    """Return what is wrong with *values*; what is null or not known yet is not asked."""
    found: list[Invalid] = []
    for attribute in attributes:
        value = values.get(attribute.name)
        if value is not None and value is not UNKNOWN:
            wrong = _value(attribute.type, value, (*at, attribute.name))
            found += map(_hidden, wrong) if attribute.sensitive else wrong
            if attribute.needs and values.get(attribute.needs) is None:
                found.append(Invalid(f"is required beside {attribute.name}", at=(*at, attribute.needs)))
    return [*found, *_pairs(attributes, values, at)]


def _pairs(attributes: Iterable[Attribute], values: Values, at: Path) -> Iterator[Invalid]:
    """Yield where of two attributes both are given, or neither."""
    for attribute in attributes:
        first, other = sorted((attribute.name, attribute.exclusive))
        if attribute.exclusive and attribute.name == first:
            given = [name for name in (first, other) if values.get(name) is not None]
            if len(given) != 1 and not any(values.get(name) is UNKNOWN for name in given):
                got = "both" if given else "neither"
                yield Invalid(f"expected either {first} or {other}, got {got}", at=(*at, *given[:1]))


def bounded(kind: Type) -> bool:
    """Say whether a value can be wrong although Terraform knows that it is of this type."""
    if isinstance(kind, Object):
        return any(bounded(a.type) for a in kind.attributes)
    if isinstance(kind, ListOf | MapOf):
        return bounded(kind.item)
    return kind not in (_TEXT, Bool())


def _value(kind: Type, value: Any, at: Path) -> list[Invalid]:
    # Text that may say anything is what most values are; it is told apart first.
    if value is UNKNOWN or (kind == _TEXT and isinstance(value, str)):
        return []
    if isinstance(kind, Object) and isinstance(value, dict):
        return faults(kind.attributes, value, at)
    if isinstance(kind, MapOf) and isinstance(value, dict):
        return [fault for key, item in value.items() for fault in _value(kind.item, item, (*at, key))]
    if isinstance(kind, ListOf) and isinstance(value, list):
        return [fault for index, item in enumerate(value) for fault in _value(kind.item, item, (*at, index))]
    try:
        kind.check(value, at)
    except Invalid as fault:
        return [fault]
    return []


_TEXT = String()


def _hidden(fault: Invalid) -> Invalid:
    """Return the fault without the text that may quote a secret."""
    return Invalid("expected another value than the one given, which is sensitive and not shown", at=fault.at)
