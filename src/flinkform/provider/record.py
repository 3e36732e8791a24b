"""Between what Terraform keeps of an object and what the API says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from flinkform.errors import Conflict, Invalid
from flinkform.provider.lists import Document
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.provider.values import Values, same, settled
from flinkform.resources.job import OURS
from flinkform.schema import document as documents
from flinkform.schema.codec import Lossy
from flinkform.schema.model import Attribute, Change, Moved, Origin, Resource
from flinkform.schema.types import ListOf, MapOf, String, Type

NONCE = OURS + "nonce"
"""The label or tag by which a create whose answer was lost finds again what it made."""


def merged(resource: Resource, state: Values, document: Document) -> dict[str, Any]:
    """Return *state*, in which nothing is unknown, brought up to what *document* says, with its id.

    A value that only looks different (`{}` for nothing) stays as its author wrote it, and so does one that can
    never change but is not told: a namespace's list entry does not repeat its workspace.
    """
    values = dict(state)
    for attribute, seen in _seen(resource.attributes, document):
        if values.get(attribute.name) != seen and _differs(resource, attribute, values.get(attribute.name), seen):
            values[attribute.name] = seen
    return values | {"id": identity(resource, values)}


def differing(resource: Resource, wanted: Values, document: Document) -> tuple[Attribute, ...]:
    """Return the attributes that *document* tells otherwise than *wanted*; what is unknown cannot differ."""
    return tuple(
        attribute
        for attribute, seen in _seen(resource.attributes, document)
        if attribute.writable
        and wanted.get(attribute.name) is not UNKNOWN
        and _differs(resource, attribute, wanted.get(attribute.name), seen)
        and not (wanted.get(attribute.name) is None and attribute.origin is Origin.EITHER)
    )


def verify(resource: Resource, wanted: Values, document: Document, operation: str) -> None:
    """Raise `Conflict` if *operation* was accepted and yet *document*, read afterwards, is not as *wanted*."""
    for attribute in differing(resource, wanted, document):
        told = "" if attribute.sensitive else f": expected {_shown(wanted.get(attribute.name))}"
        raise Conflict(
            f"the API accepted {operation} and kept another {attribute.name}{told}",
            at=(attribute.name,),
            advice="plan again to see what it kept",
        )


def over(state: Values, planned: Values) -> dict[str, Any]:
    """Return *planned*, with what *state* has for the values that were unknown when planning."""
    return {name: state.get(name) if value is UNKNOWN else value for name, value in planned.items()}


def cleared(changed: Iterable[Attribute], values: Values) -> dict[str, Any]:
    """Return *values* with an explicit emptiness for what *changed* to null: an update leaves what is not sent.

    What is null and was so before is not sent: an emptiness for nothing would count as another definition.
    """
    gone = {a.name: _empty(a.type) for a in changed if values.get(a.name) is None and a.origin is Origin.OPTIONAL}
    return {**settled(values), **gone}


def identity(resource: Resource, values: Values) -> str | None:
    """Return the id made of the key attributes, or `None` while one is missing."""
    parts = [values.get(name) for name in resource.key]
    return "/".join(map(str, parts)) if all(parts) else None


def imported(resource: Resource, text: str) -> dict[str, Any]:
    """Return the state that reading can complete from an import id; `Invalid` shows the form it has to have."""
    parts = text.split("/")
    if len(parts) != len(resource.key) or not all(parts):
        form = "/".join(f"<{name}>" for name in resource.key)
        raise Invalid(f"expected the id of a {resource.type_name} as {form}, got {text!r}")
    state: dict[str, Any] = {a.name: a.default if a.path is None else None for a in resource.attributes}
    return state | dict(zip(resource.key, parts, strict=True)) | {"id": text}


def moved(resource: Resource, source: Moved, values: Any) -> dict[str, Any]:
    """Return the state that reading can complete from *values*, the state of the type *source*.

    Invalid: it does not say which object it is of. What else it lacks, or has in a form of its own, is left to reading.
    """
    found = {name: _found(values, place.split(".")) for name, place in source.places.items()}
    missing = [source.places[name] for name in resource.key if not found.get(name)]
    if missing:
        raise Invalid(
            f"expected a state of {source.type} that says what its {', '.join(missing)} is, got none",
            advice=f"refresh it with its own provider first, or bring it in by an import block of {resource.type_name}",
        )
    state = imported(resource, "/".join(str(found[name]) for name in resource.key))
    for name, value in found.items():
        with suppress(Invalid):
            resource.attribute(name).type.check(value, (name,))
            state[name] = value or None
    return state


def _found(value: Any, steps: Iterable[str]) -> Any:
    for step in steps:
        if isinstance(value, list):
            value = next(iter(value[int(step) :]), None)
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def completed(attributes: Iterable[Attribute], values: Values) -> dict[str, Any]:
    """Return what an older version kept of an object in today's shape, however deep.

    What it did not know yet is null, or the default of an attribute that only Terraform knows: nothing changes by it.
    """
    whole: dict[str, Any] = {}
    for attribute in attributes:
        value = values.get(attribute.name)
        if value is None and (attribute.nested or attribute.name not in values) and attribute.path is None:
            value = attribute.default
        elif attribute.nested and isinstance(value, Mapping):
            value = completed(attribute.nested, value)
        whole[attribute.name] = value
    return whole


def _seen(attributes: Iterable[Attribute], document: Document) -> list[tuple[Attribute, Any]]:
    told: Mapping[str, Any] = documents.decode(attributes, document)
    return [(a, _default(a) if told[a.name] is None else told[a.name]) for a in attributes if a.name in told]


def _default(attribute: Attribute) -> Any:
    """Return what an attribute is that the API says nothing of; one that can never change may just not be told."""
    return None if attribute.change is Change.REPLACE or attribute.nested else attribute.default


def _differs(resource: Resource, attribute: Attribute, ours: Any, seen: Any) -> bool:
    """Say whether *seen* tells another value; what can never change and is not told is as it was."""
    fixed = attribute.change is Change.REPLACE or attribute.name in resource.key
    if isinstance(attribute.codec, Lossy):
        return not attribute.codec.alike(ours, seen)
    return not same(ours, seen) and not (seen is None and fixed)


def _empty(kind: Type) -> Any:
    if isinstance(kind, MapOf):
        return {}
    if isinstance(kind, ListOf):
        return []
    return "" if isinstance(kind, String) else None


def _shown(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
