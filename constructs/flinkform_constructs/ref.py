"""References and text: how a value says that it is a Terraform expression.

A value is an expression if it is a `Ref`, a `Text` or a token of the CDK; any other string is literal text and
reaches Terraform unchanged, `${` and `%{` included. Text from a file that must never be taken for a CDK token,
whatever it holds, is a `Literal`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, Self

import orjson

from flinkform.errors import Invalid

_TEMPLATE = re.compile(r"\$\{(?!TfToken\[)|%\{")
_ANY_TEMPLATE = re.compile(r"\$\{|%\{")
_MARK = "\ufeff"
_MARK_WRITTEN = '${"\\ufeff"}'
"""A byte order mark as an expression: Terraform drops one that a string begins with."""


class Owner(Protocol):
    """What a reference refers to: a block of some stack."""

    @property
    def stack(self) -> Any:
        """The stack it is in."""

    @property
    def address(self) -> str:
        """Its Terraform address: `flink_job.bids`."""

    def token(self, expression: str) -> str:
        """Return a CDK token for *expression*, which starts with the address."""


class _Expression(str):
    """A string that is a Terraform template; `+` keeps it one."""

    __slots__ = ()

    def __add__(self, other: str) -> Text:
        return text(self, other)

    def __radd__(self, other: str) -> Text:
        return text(other, self)


class Ref(_Expression):
    """A Terraform expression. As a string it is `${...}`, so it fits wherever the CDK takes one.

    In an f-string it becomes a CDK token, which works everywhere but has to be resolved by Node;
    `text("jobs-", ref)` and `"jobs-" + ref` stay in Python.
    """

    __slots__ = ("expression", "owner")
    expression: str
    owner: Owner | None

    def __new__(cls, expression: str, owner: Owner | None = None) -> Self:
        self = super().__new__(cls, "${" + expression + "}")
        self.expression = expression
        self.owner = owner
        return self

    def attribute(self, name: str) -> Ref:
        """Refer to *name* inside this object."""
        return Ref(f"{self.expression}.{name}", self.owner)

    def item(self, key: str | int) -> Ref:
        """Refer to the map key or the list index *key*."""
        return Ref(f"{self.expression}[{json.dumps(key)}]", self.owner)

    @property
    def token(self) -> str:
        """A CDK token for this: what a jsii construct of another stack needs. Raises `Invalid` without an owner."""
        if self.owner is None:
            raise Invalid(
                f"{self.expression} belongs to no resource, so the CDK has no token for it",
                advice="write text('before', ref, 'after') in place of an f-string",
            )
        return self.owner.token(self.expression)

    def __format__(self, spec: str) -> str:
        return format(self.token, spec)


class Text(_Expression):
    """Literal text and references in a row."""

    __slots__ = ("parts",)
    parts: tuple[str, ...]

    def __new__(cls, parts: tuple[str, ...]) -> Self:
        self = super().__new__(cls, "".join(p if isinstance(p, Ref) else escape(p) for p in parts))
        self.parts = parts
        return self

    def __format__(self, spec: str) -> str:
        return format("".join(p.token if isinstance(p, Ref) else p for p in self.parts), spec)


class Literal(str):
    """Text that is never an expression, not even where it looks like a token of the CDK."""

    __slots__ = ()


EACH_KEY = Ref("each.key")
EACH_VALUE = Ref("each.value")
COUNT_INDEX = Ref("count.index")


def text(*parts: str) -> Text:
    """Join literal text and references into one value."""
    return Text(tuple(_flat(parts)))


def escape(value: str) -> str:
    """Return *value* as Terraform must read it to mean exactly *value*; tokens of the CDK stay tokens."""
    written = doubled(value)
    return _MARK_WRITTEN + written[1:] if written.startswith(_MARK) else written


def doubled(value: str) -> str:
    """Return *value* with its templates made text, for a string inside an expression."""
    if "${" not in value and "%{" not in value:
        return value
    return (_ANY_TEMPLATE if type(value) is Literal else _TEMPLATE).sub(_doubled, value)


def _doubled(match: re.Match[str]) -> str:
    return match[0][0] + match[0]


def _flat(parts: tuple[str, ...]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Text):
            yield from part.parts
        else:
            yield part


def literal(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return *values*, which came from a file, with what looks like a token of the CDK in them made a `Literal`."""
    try:
        if b"TfToken[" not in orjson.dumps(dict(values)):
            # A look at all of it at once, as hardly ever one is found.
            return values
    except TypeError:
        pass
    return {key: _literal(item) for key, item in values.items()}


def _literal(value: Any) -> Any:
    if isinstance(value, str):
        return Literal(value) if "TfToken[" in value else value
    if isinstance(value, Mapping):
        return {_literal(key): _literal(item) for key, item in value.items()}
    return [_literal(item) for item in value] if isinstance(value, Sequence) else value
