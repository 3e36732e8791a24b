"""Between Terraform's flat attributes and the API's documents, both ways, for every type alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flinkform.schema.model import Attribute, Call


def encode(attributes: Sequence[Attribute], values: Mapping[str, Any], call: Call) -> dict[str, Any]:
    """Return what *call* sends for *values*: API fields by name, nested as the API nests them; unset ones absent."""
    out: dict[str, Any] = {}
    for fixed, constant in call.fixed.items():
        put(out, fixed, constant)
    for attribute in attributes:
        place = call.places.get(attribute.name) or attribute.path
        value = values.get(attribute.name)
        if place and value is not None:
            put(out, place, attribute.codec.encode(value))
    for attribute in attributes:
        if attribute.label and (pinned := (values.get(attribute.name) or {}).get(attribute.label[0])):
            out["labels"] = {**out.get("labels", {}), attribute.label[1]: pinned}
    return out


def decode(attributes: Iterable[Attribute], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of *attributes* that have a place in *document*; what it lacks is `None`."""
    out: dict[str, Any] = {}
    for attribute in attributes:
        if attribute.path is not None and not attribute.write_only:
            value = get(document, attribute.path)
            told = out[attribute.name] = None if value is None else attribute.codec.decode(value)
            if attribute.label and told:
                inner, label = attribute.label
                told[inner] = (document.get("labels") or {}).get(label)
    return out


def put(document: dict[str, Any], place: str, value: Any) -> None:
    """Set the dotted *place* in *document*, making the objects on the way."""
    *parents, last = place.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    document[last] = value


def get(document: Mapping[str, Any], place: str) -> Any:
    """Return what stands at the dotted *place*, or `None`."""
    if "." not in place:  # as nearly every place is; a plan looks at fourteen in each job
        return document.get(place)
    found: Any = document
    for step in place.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found
