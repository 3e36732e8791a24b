"""The value types an attribute may have, and how each checks a value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from flinkform.errors import Invalid, Path

if TYPE_CHECKING:
    from flinkform.schema.model import Attribute


class Type(Protocol):
    """What the rest of the project may ask of a type."""

    @property
    def cty(self) -> Any:
        """The type as Terraform's schema JSON writes it: a name or a nested list."""

    @property
    def json_schema(self) -> dict[str, Any]:
        """The same type as JSON Schema, for editors."""

    def check(self, value: Any, at: Path) -> None:
        """Raise `Invalid` at *at* unless *value* is acceptable."""


@dataclass(frozen=True, slots=True)
class String:
    """Text; with *choices* one of a few words, with *pattern* a whole match and *hint* what it means."""

    choices: tuple[str, ...] = ()
    pattern: str = ""
    hint: str = ""

    @property
    def cty(self) -> str:
        return "string"

    @property
    def json_schema(self) -> dict[str, Any]:
        rules: dict[str, Any] = {"type": "string"}
        if self.choices:
            rules["enum"] = list(self.choices)
        if self.pattern:
            rules["pattern"] = f"^(?:{self.pattern})$"
        return rules

    def check(self, value: Any, at: Path) -> None:
        if not isinstance(value, str):
            raise Invalid(f"expected a string, got {shown(value)}", at=at)
        if self.choices and value not in self.choices:
            raise Invalid(f"expected one of {', '.join(self.choices)}, got {shown(value)}", at=at)
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise Invalid(f"expected {self.hint or 'text matching ' + self.pattern}, got {shown(value)}", at=at)


@dataclass(frozen=True, slots=True)
class Number:
    """A number, whole unless *whole* says otherwise."""

    at_least: float | None = None
    at_most: float | None = None
    whole: bool = True

    @property
    def cty(self) -> str:
        return "number"

    @property
    def json_schema(self) -> dict[str, Any]:
        rules: dict[str, Any] = {"type": "integer" if self.whole else "number"}
        if self.at_least is not None:
            rules["minimum"] = self.at_least
        if self.at_most is not None:
            rules["maximum"] = self.at_most
        return rules

    def check(self, value: Any, at: Path) -> None:
        kind = "a whole number" if self.whole else "a number"
        if isinstance(value, bool) or not isinstance(value, int | float) or (self.whole and value != int(value)):
            raise Invalid(f"expected {kind}, got {shown(value)}", at=at)
        if self.at_least is not None and value < self.at_least:
            raise Invalid(f"expected {kind} of at least {self.at_least}, got {value}", at=at)
        if self.at_most is not None and value > self.at_most:
            raise Invalid(f"expected {kind} of at most {self.at_most}, got {value}", at=at)


@dataclass(frozen=True, slots=True)
class Bool:
    """True or false."""

    @property
    def cty(self) -> str:
        return "bool"

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def check(self, value: Any, at: Path) -> None:
        if not isinstance(value, bool):
            raise Invalid(f"expected true or false, got {shown(value)}", at=at)


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items are all of one type."""

    item: Type

    @property
    def cty(self) -> list[Any]:
        return ["list", self.item.cty]

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.json_schema}

    def check(self, value: Any, at: Path) -> None:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise Invalid(f"expected a list, got {shown(value)}", at=at)
        for index, item in enumerate(value):
            self.item.check(item, (*at, index))


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map from text to one type."""

    item: Type

    @property
    def cty(self) -> list[Any]:
        return ["map", self.item.cty]

    @property
    def json_schema(self) -> dict[str, Any]:
        return {"type": "object", "additionalProperties": self.item.json_schema}

    def check(self, value: Any, at: Path) -> None:
        if not isinstance(value, Mapping):
            raise Invalid(f"expected a map, got {shown(value)}", at=at)
        for key, item in value.items():
            self.item.check(item, (*at, str(key)))


@dataclass(frozen=True, slots=True)
class Object:
    """A nested attribute: an object with attributes of its own."""

    attributes: tuple[Attribute, ...] = field(default=())

    @property
    def cty(self) -> list[Any]:
        return ["object", {a.name: a.type.cty for a in self.attributes}]

    @property
    def json_schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {a.name: {**a.type.json_schema, "description": a.doc} for a in self.attributes},
            "additionalProperties": False,
        }

    def check(self, value: Any, at: Path) -> None:
        if not isinstance(value, Mapping):
            raise Invalid(f"expected an object, got {shown(value)}", at=at)
        known = {a.name: a for a in self.attributes}
        for key, item in value.items():
            if key not in known:
                raise Invalid(f"unknown key {key!r}, expected one of {', '.join(sorted(known))}", at=(*at, key))
            if item is not None:
                known[key].type.check(item, (*at, key))


def name_type() -> String:
    """Return the type of a name that a user chooses and the API keeps."""
    return String(
        pattern=r"[A-Za-z][A-Za-z0-9_.\-]{0,127}",
        hint="a letter, then at most 127 letters, digits, '-', '_' or '.'",
    )


def shown(value: Any) -> str:
    """Return *value* for an error text, never more than a line of it."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
