"""A map of a YAML document to checked values of attributes, each error at the place of what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from flinkform.errors import Invalid, Path
from flinkform.jobfile.documents import Document, scalar, words
from flinkform.schema.model import Attribute
from flinkform.schema.types import ListOf, MapOf, Object, String, Type

Attributes = Mapping[str, Attribute]


def entries(document: Document, node: Node | None, at: Path = ()) -> list[tuple[ScalarNode, Node]]:
    """Return keys and values of a map; an absent one has none."""
    if node is None or (isinstance(node, ScalarNode) and scalar(node) is None):
        return []
    if not isinstance(node, MappingNode):
        document.refuse(f"expected keys and values, got {_kind(node)}", node, at)
    return node.value  # type: ignore[no-any-return]


def read(document: Document, node: Node | None, attributes: Attributes, at: Path = ()) -> dict[str, Any]:
    """Return the values in *node* by attribute; `None` stands for one that is to be taken away."""
    found: dict[str, Any] = {}
    for key, value in entries(document, node, at):
        attribute = attributes.get(key.value)
        if attribute is None:
            unknown(document, key, attributes, at)
        else:
            found[attribute.name] = _checked(document, value, attribute, at)
    return found


def unknown(document: Document, key: ScalarNode, known: Iterable[str], at: Path = (), *, advice: str = "") -> None:
    """Refuse *key*, naming the nearest of the *known* ones."""
    names = sorted(known)
    near = difflib.get_close_matches(key.value, names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else f"expected one of {', '.join(names)}"
    document.refuse(f"unknown key {key.value!r}", key, (*at, key.value), advice=advice or hint)


def texts(document: Document, node: Node, at: Path = ()) -> list[tuple[str, Node]]:
    """Return the strings of a list, each with its node."""
    if not isinstance(node, SequenceNode):
        document.refuse(f"expected a list, got {_kind(node)}", node, at)
    for index, item in enumerate(node.value):
        if not isinstance(item, ScalarNode) or not isinstance(scalar(item), str) or not item.value:
            document.refuse(f"expected a string, got {_kind(item)}", item, (*at, index))
    return [(item.value, item) for item in node.value]


def _checked(document: Document, node: Node, attribute: Attribute, at: Path) -> Any:
    at = (*at, attribute.name)
    value = _value(document, node, attribute.type, at)
    if value is None:
        return None
    try:
        attribute.type.check(_present(value, attribute.type), at)
    except Invalid as error:
        quoted = error.message.startswith("expected a string, got") and _bare(value)
        raise Invalid(
            error.message,
            at=error.at,
            position=document.find(error.at),
            advice="put it in quotes" if quoted else error.advice,
        ) from None
    return value


def _value(document: Document, node: Node, kind: Type | None, at: Path) -> Any:
    """Return what *node* says, read as *kind* wants it: in a map of texts a number stays as it is written."""
    if isinstance(node, ScalarNode):
        return scalar(node)
    if isinstance(node, SequenceNode):
        item = kind.item if isinstance(kind, ListOf) else None
        return [_value(document, value, item, (*at, index)) for index, value in enumerate(node.value)]
    if isinstance(kind, Object):
        inner = {a.name: a for a in kind.attributes}
        return {name: value for name, value in read(document, node, inner, at).items() if value is not None}
    text = isinstance(kind, MapOf) and isinstance(kind.item, String)
    return {
        key.value: words(value)
        if text and isinstance(value, ScalarNode)
        else _value(document, value, kind.item if isinstance(kind, MapOf) else None, (*at, key.value))
        for key, value in node.value
    }


def _present(value: Any, kind: Type) -> Any:
    """Return a map without the keys that are to be taken away: there is nothing to check in them."""
    if isinstance(kind, MapOf) and isinstance(value, Mapping):
        return {name: item for name, item in value.items() if item is not None}
    return value


def _bare(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _kind(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a map"
    return "a list" if isinstance(node, SequenceNode) else repr(node.value)[:80]
