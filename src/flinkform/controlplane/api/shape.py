"""Does a JSON value have the shape that the API's models give it? Unknown fields are refused, by their path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from flinkform.controlplane.api.failures import path_text, refused
from flinkform.errors import Path, Refused
from flinkform.openapi.models import model
from flinkform.openapi.operation import Field

_SURROGATES = re.compile("[\ud800-\udfff]")
_BOUND = 2**63
_DEPTH = 64

_SCALARS: dict[str, tuple[str, tuple[type, ...]]] = {
    "str": ("a string", (str,)),
    "int": ("a whole number", (int,)),
    "float": ("a number", (int, float)),
    "bool": ("true or false", (bool,)),
}


def check(value: Any, kind: str, product: str, *, at: Path = ()) -> None:
    """Raise Refused for a wrong type, an unknown field or a missing one; null stands for unset.

    The text names the path and never a value, which may be secret.
    """
    if kind in _SCALARS:
        _scalar(value, kind, at)
    elif kind.startswith("List["):
        for index, item in enumerate(_is(value, list, "a list", at)):
            check(item, kind[5:-1], product, at=(*at, index))
    elif kind.startswith("Dict["):
        _is(value, dict, "an object", at)
    elif (fields := model(product, kind)) is not None:
        _model(_is(value, dict, "an object", at), fields, product, at)


def storable(value: Any, *, at: Path = ()) -> None:
    """Raise Refused for what no database holds or no document needs: NUL, half a character, no bounds, no end."""
    if len(at) > _DEPTH:
        raise refused(f"expected at most {_DEPTH} levels", code="InvalidParameter", at=at[:3])
    if isinstance(value, str):
        if "\0" in value or (not value.isascii() and _SURROGATES.search(value)):
            raise refused("expected text without NUL and lone surrogates", code="InvalidParameter", at=at or ("body",))
    elif isinstance(value, dict):
        for name, item in value.items():
            storable(name, at=at)
            storable(item, at=(*at, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            storable(item, at=(*at, index))
    elif isinstance(value, int | float) and not -_BOUND <= value < _BOUND:
        raise refused("expected a number of 64 bits", code="InvalidParameter", at=at or ("body",))


def dense(value: Any) -> Any:
    """Return a document without its nulls."""
    if isinstance(value, dict):
        return {name: dense(item) for name, item in value.items() if item is not None}
    return [dense(item) for item in value] if isinstance(value, list) else value


def merged(old: Mapping[str, Any], new: Mapping[str, Any], kind: str, product: str) -> dict[str, Any]:
    """Return *old* with what *new* says, as a partial update means it.

    A field that is not sent stays; null clears it; models are merged field by field; maps and other lists are
    replaced. An empty list of models stands for unset, because the SDKs write one for every such field that their
    user left alone; only where it is all that its object says (`logging: {log4jLoggers: []}`) it clears.
    """
    return _merged(old, new, kind, product, alone=False)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any], kind: str, product: str, *, alone: bool) -> dict[str, Any]:
    fields = model(product, kind) or {}
    kept = dict(old)
    for name, value in new.items():
        inner = fields[name].type
        if value is None:
            kept.pop(name, None)
        elif value == [] and not alone and model(product, fields[name].item) is not None:
            continue
        elif model(product, inner) is not None:
            kept[name] = _merged(kept.get(name, {}), value, inner, product, alone=len(value) == 1)
        else:
            kept[name] = value
    return kept


def _model(value: Mapping[str, Any], fields: Mapping[str, Field], product: str, at: Path) -> None:
    for name, item in value.items():
        if name not in fields:
            raise _unknown(name, fields, at)
        if item is not None:
            check(item, fields[name].type, product, at=(*at, name))
    for name, field in fields.items():
        if field.required and value.get(name) is None:
            raise missing(path_text((*at, name)))


def _scalar(value: Any, kind: str, at: Path) -> None:
    words, types = _SCALARS[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "bool"):
        raise _wrong(words, value, at)


def _is(value: Any, kind: type, words: str, at: Path) -> Any:
    if not isinstance(value, kind):
        raise _wrong(words, value, at)
    return value


def missing(name: str) -> Refused:
    """Return the error of a parameter or field that must be there and is not."""
    return refused(f"{name} is required and missing", code="MissingParameter")


def _unknown(name: str, fields: Mapping[str, Field], at: Path) -> Refused:
    near = get_close_matches(name, fields, n=1)
    advice = f"did you mean {near[0]}" if near else f"expected one of {', '.join(sorted(fields))}"
    return refused("unknown field", code="InvalidParameter", at=(*at, name), advice=advice)


def _wrong(words: str, value: Any, at: Path) -> Refused:
    return refused(f"expected {words}, got {_called(value)}", code="InvalidParameter", at=at or ("body",))


def _called(value: Any) -> str:
    names = {str: "a string", bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    return names.get(type(value), "an object" if isinstance(value, dict) else "null")
