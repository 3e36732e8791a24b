"""The declared types as constructs need them, and the check of values against them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flinkform.errors import Invalid, Path
from flinkform.resources import DATA_SOURCES, RESOURCES
from flinkform.schema.model import Attribute, DataSource, Origin, Resource
from flinkform_constructs.scribe import is_expression, settled

KINDS: tuple[Resource | DataSource, ...] = (*RESOURCES, *DATA_SOURCES)


def inputs(kind: Resource | DataSource) -> tuple[Attribute, ...]:
    """Return what a user may set."""
    attributes = kind.attributes if isinstance(kind, Resource) else kind.arguments
    return tuple(a for a in attributes if a.writable)


_INPUTS: dict[str, dict[str, Attribute]] = {kind.type_name: {a.name: a for a in inputs(kind)} for kind in KINDS}
_REQUIRED: dict[str, tuple[str, ...]] = {
    name: tuple(a.name for a in known.values() if a.origin is Origin.REQUIRED) for name, known in _INPUTS.items()
}


def checked(type_name: str, values: Mapping[str, Any], path: Callable[[], str]) -> dict[str, Any]:
    """Return the *values* that are set.

    Raises `Invalid`, naming the construct's *path* and the attribute, where one does not fit its declaration. A
    reference fits everywhere; Terraform judges it when it is known. A type that is not declared takes anything.
    """
    given = {name: value for name, value in values.items() if value is not None}
    known = _INPUTS.get(type_name)
    if known is None:
        return given
    for name in _REQUIRED[type_name]:
        if name not in given:
            raise _fault(path(), (name,), "expected a value, got none")
    for name, value in given.items():
        if name not in known:
            raise _fault(path(), (name,), f"expected one of {', '.join(sorted(known))}")
        try:
            known[name].type.check(value, (name,))
        except Invalid as fault:
            _forgive(known[name], value, fault, path)
    return given


def _forgive(attribute: Attribute, value: Any, fault: Invalid, path: Callable[[], str]) -> None:
    """Raise *fault* with the construct's path, unless it is only about expressions in *value*."""
    if is_expression(value):
        return
    try:
        attribute.type.check(settled(value), (attribute.name,))
    except Invalid:
        raise _fault(path(), fault.at, fault.message) from None


def _fault(path: str, at: Path, message: str) -> Invalid:
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at).lstrip(".")
    return Invalid(f"{path}: {where}: {message}", at=at)
