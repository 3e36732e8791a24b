"""A map of a YAML document to checked values of attributes, each error at the place of what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from flinkform.errors import Invalid, Path
from flinkform.jobfile.documents import Document, scalar, words
from flinkform.jobfile.faults import Faults
from flinkform.schema.model import Attribute
from flinkform.schema.types import ListOf, MapOf, Object, String, Type

Attributes = Mapping[str, Attribute]


def entries(document: Document, node: Node | None, faults: Faults, at: Path = ()) -> list[tuple[ScalarNode, Node]]:
    """Return keys and values of a map; an absent one has none, and neither has one that is something else."""
    if node is None or (isinstance(node, ScalarNode) and scalar(node) is None):
        return []
    if not isinstance(node, MappingNode):
        faults.append(document.fault(f"expected keys and values, got {_kind(node)}", node, at))
        return []
    return node.value  # type: ignore[no-any-return]


def pairs(document: Document) -> list[tuple[ScalarNode, Node]]:
    """Return keys and values of a document that is a map; any other has none."""
    return document.root.value if isinstance(document.root, MappingNode) else []


def without(node: Node | None, name: str) -> tuple[Node | None, Node | None]:
    """Return the value of the key *name* of a map, if it is one and has it, and the map without it."""
    found = [pair for pair in node.value if pair[0].value == name] if isinstance(node, MappingNode) else []
    if not found or not isinstance(node, MappingNode):
        return None, node
    rest = [pair for pair in node.value if pair not in found]
    return found[0][1], MappingNode(node.tag, rest, node.start_mark, node.end_mark)


def read(
    document: Document,
    node: Node | None,
    attributes: Attributes,
    faults: Faults,
    at: Path = (),
    *,
    strange: Callable[[Document, ScalarNode, Iterable[str], Path], Invalid] | None = None,
) -> dict[str, Any]:
    """Return the values in *node* by attribute, without those that are wrong; `None` takes one away.

    *strange* says what is wrong with a key that is none of *attributes*.
    """
    found: dict[str, Any] = {}
    for key, value in entries(document, node, faults, at):
        attribute = attributes.get(key.value)
        if attribute is None:
            faults.append((strange or unknown)(document, key, attributes, at))
            continue
        before = len(faults)
        checked = _checked(document, value, attribute, faults, at)
        if len(faults) == before:
            found[attribute.name] = checked
    return found


def unknown(document: Document, key: ScalarNode, known: Iterable[str], at: Path = ()) -> Invalid:
    """Return the error about *key*, naming the nearest of the *known* ones."""
    names = sorted(known)
    near = difflib.get_close_matches(key.value, names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(names)}"
    return document.fault(f"unknown key {key.value!r}", key, (*at, key.value), advice=hint)


def texts(document: Document, node: Node, faults: Faults, at: Path = ()) -> list[tuple[str, Node]]:
    """Return the strings of a list, each with its node."""
    if not isinstance(node, SequenceNode):
        faults.append(document.fault(f"expected a list, got {_kind(node)}", node, at))
        return []
    found: list[tuple[str, Node]] = []
    for index, item in enumerate(node.value):
        if isinstance(item, ScalarNode) and isinstance(scalar(item), str) and item.value:
            found.append((item.value, item))
        else:
            faults.append(document.fault(f"expected a string, got {_kind(item)}", item, (*at, index)))
    return found


def _checked(document: Document, node: Node, attribute: Attribute, faults: Faults, at: Path) -> Any:
    at = (*at, attribute.name)
    before = len(faults)
    value = _value(document, node, attribute.type, faults, at)
    if value is not None and len(faults) == before:
        _check(document, value, attribute.type, faults, at)
    return value


def _check(document: Document, value: Any, kind: Type, faults: Faults, at: Path) -> None:
    """Check *value*, each part of a list or a map for itself; `None` in a map takes away, and is never wrong."""
    if isinstance(kind, MapOf) and isinstance(value, Mapping):
        for name, item in value.items():
            if item is not None:
                _check(document, item, kind.item, faults, (*at, name))
    elif isinstance(kind, ListOf) and isinstance(value, list):
        for index, item in enumerate(value):
            _check(document, item, kind.item, faults, (*at, index))
    else:
        try:
            kind.check(value, at)
        except Invalid as error:
            faults.append(_placed(document, error, value))


def _placed(document: Document, error: Invalid, value: Any) -> Invalid:
    quoted = error.message.startswith("expected a string, got") and isinstance(value, bool | int | float)
    advice = "put it in quotes" if quoted else error.advice
    return Invalid(error.message, at=error.at, position=document.find(error.at), advice=advice)


def _value(document: Document, node: Node, kind: Type | None, faults: Faults, at: Path) -> Any:
    """Return what *node* says, read as *kind* wants it: in a map of texts a number stays as it is written."""
    if isinstance(node, ScalarNode):
        return scalar(node)
    if isinstance(node, SequenceNode):
        item = kind.item if isinstance(kind, ListOf) else None
        return [_value(document, value, item, faults, (*at, index)) for index, value in enumerate(node.value)]
    if isinstance(kind, Object):
        inner = {a.name: a for a in kind.attributes}
        found = read(document, node, inner, faults, at)
        return {name: value for name, value in found.items() if value is not None}
    text = isinstance(kind, MapOf) and isinstance(kind.item, String)
    return {
        key.value: words(value)
        if text and isinstance(value, ScalarNode)
        else _value(document, value, kind.item if isinstance(kind, MapOf) else None, faults, (*at, key.value))
        for key, value in node.value
    }


def _kind(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a map"
    return "a list" if isinstance(node, SequenceNode) else repr(node.value)[:80]
