"""Checking a configuration: every fault in it at once, each with the path of its attribute."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flinkform.errors import Invalid, Path
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.provider.values import Values
from flinkform.schema.model import Attribute
from flinkform.schema.types import ListOf, MapOf, Object, Type


def faults(attributes: Iterable[Attribute], values: Values, at: Path = ()) -> Iterator[Invalid]:
    """Yield what is wrong with *values*; what is null or not known yet is not asked."""
    for attribute in attributes:
        value = values.get(attribute.name)
        if value is not None and value is not UNKNOWN:
            for fault in _value(attribute.type, value, (*at, attribute.name)):
                yield _hidden(fault) if attribute.sensitive else fault


def _value(kind: Type, value: Any, at: Path) -> Iterator[Invalid]:
    if value is UNKNOWN:
        return
    if isinstance(kind, Object) and isinstance(value, Mapping):
        yield from faults(kind.attributes, value, at)
    elif isinstance(kind, MapOf) and isinstance(value, Mapping):
        for key, item in value.items():
            yield from _value(kind.item, item, (*at, key))
    elif isinstance(kind, ListOf) and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _value(kind.item, item, (*at, index))
    else:
        try:
            kind.check(value, at)
        except Invalid as fault:
            yield fault


def _hidden(fault: Invalid) -> Invalid:
    """Return the fault without the text that may quote a secret."""
    return Invalid("expected another value than the one given, which is sensitive and not shown", at=fault.at)
