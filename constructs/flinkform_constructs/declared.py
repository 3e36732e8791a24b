"""The declared types as constructs need them, and the check of values against them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flinkform.errors import Invalid, Path
from flinkform.resources import DATA_SOURCES, RESOURCES
from flinkform.schema.model import Attribute, DataSource, Origin, Resource
from flinkform.schema.types import Bool, ListOf, MapOf, Object, String, Type
from flinkform_constructs.scribe import is_expression

KINDS: tuple[Resource | DataSource, ...] = (*RESOURCES, *DATA_SOURCES)


def inputs(kind: Resource | DataSource) -> tuple[Attribute, ...]:
    """Return what a user may set."""
    attributes = kind.attributes if isinstance(kind, Resource) else kind.arguments
    return tuple(a for a in attributes if a.writable)


def _address(kind: Resource | DataSource) -> str:
    return kind.type_name if isinstance(kind, Resource) else f"data.{kind.type_name}"


_INPUTS: dict[str, dict[str, Attribute]] = {_address(kind): {a.name: a for a in inputs(kind)} for kind in KINDS}
_REQUIRED: dict[str, tuple[str, ...]] = {
    name: tuple(a.name for a in known.values() if a.origin is Origin.REQUIRED) for name, known in _INPUTS.items()
}
_PAIRS: dict[str, tuple[tuple[str, str], ...]] = {
    name: tuple((a.name, a.exclusive) for a in known.values() if a.exclusive and a.name < a.exclusive)
    for name, known in _INPUTS.items()
}
"""Attributes of which exactly one is given."""


def _certainly(kind: Type) -> Callable[[Any], bool]:
    """Return a quick look at a value: yes is certain, no means that the type itself has to be asked.

    Thousands of jobs are almost all right, and asking the types costs as much as all the rest of making them.
    """
    if isinstance(kind, String) and not kind.pattern:
        return _one_of(kind.choices) if kind.choices else lambda value: type(value) is str
    if isinstance(kind, Bool):
        return lambda value: value is True or value is False
    if isinstance(kind, MapOf):
        item = _certainly(kind.item)
        return lambda value: type(value) is dict and all(map(item, value.values()))
    return lambda _: False


def _one_of(choices: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: type(value) is str and value in choices


_SURE = {name: {a.name: _certainly(a.type) for a in known.values()} for name, known in _INPUTS.items()}


def checked(type_name: str, values: Mapping[str, Any], path: Callable[[], str]) -> dict[str, Any]:
    """Return the *values* that are set.

    Raises `Invalid`, naming the construct's *path* and the attribute, where one does not fit its declaration. A
    reference fits everywhere; Terraform judges it when it is known. *type_name* is `data.flink_jobs` for a data
    source. A type that is not declared takes anything.
    """
    given = {name: value for name, value in values.items() if value is not None}
    known = _INPUTS.get(type_name)
    if known is None:
        return given
    for name in _REQUIRED[type_name]:
        if name not in given:
            raise _fault(path(), (name,), "expected a value, got none")
    for one, other in _PAIRS[type_name]:
        if (one in given) is (other in given):
            got = "both" if one in given else "neither"
            raise Invalid(f"{path()}: expected either {one} or {other}, got {got}")
    sure = _SURE[type_name]
    for name, value in given.items():
        if name not in known:
            raise _fault(path(), (name,), f"expected one of {', '.join(sorted(known))}")
        if sure[name](value):
            continue
        try:
            known[name].type.check(value, (name,))
        except Invalid:
            # Checked again with care for expressions: few values hold one, and all of them are checked.
            _careful(known[name], value, path)
    return given


def _careful(attribute: Attribute, value: Any, path: Callable[[], str]) -> None:
    try:
        _judge(attribute.type, value, (attribute.name,))
    except Invalid as fault:
        raise _fault(path(), fault.at, fault.message) from None


def _judge(kind: Type, value: Any, at: Path) -> None:
    """Check *value* as its type does, but leave out every expression in it."""
    if is_expression(value):
        return
    if isinstance(kind, ListOf) and isinstance(value, Sequence) and not isinstance(value, str):
        for index, item in enumerate(value):
            _judge(kind.item, item, (*at, index))
    elif isinstance(kind, MapOf) and isinstance(value, Mapping):
        for key, item in value.items():
            _judge(kind.item, item, (*at, str(key)))
    elif isinstance(kind, Object) and isinstance(value, Mapping):
        kind.check(dict.fromkeys(value), at)
        for attribute in kind.attributes:
            if value.get(attribute.name) is not None:
                _judge(attribute.type, value[attribute.name], (*at, attribute.name))
    else:
        kind.check(value, at)


def _fault(path: str, at: Path, message: str) -> Invalid:
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at).lstrip(".")
    return Invalid(f"{path}: {where}: {message}", at=at)
