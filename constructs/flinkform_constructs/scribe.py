"""Writes values as Terraform JSON; what only the CDK can fill in stays open, to cross once a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from flinkform_constructs.ref import Literal, Ref, Text, escape

_TOKEN = "TfToken["  # noqa: S105 - the CDK's word for a placeholder
_NUMBER_TOKEN = 1e280
"""The CDK hides numbers it does not know yet in floats of about -1e289."""
_MARKS = tuple(mark.encode() for mark in ("${", "%{", _TOKEN, "\ufeff", "e+289", ":null"))
"""What JSON may hold that has to be written another way: templates, tokens, their marks, and what is unset."""
_EXACT = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


class Open:
    """The place of a value that the CDK fills in, by its name in the `Crossing`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Crossing:
    """The values of one stack that have to pass through jsii, each text once however many blocks hold it."""

    __slots__ = ("_names", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self._names: dict[str, str] = {}

    def open(self, value: Any) -> Open:
        """Return the place of *value*."""
        name = self._names.get(value) if isinstance(value, str) else None
        if name is None:
            name = str(len(self.values))
            self.values[name] = value
            if isinstance(value, str):
                self._names[value] = name
        return Open(name)


def through(value: Any) -> Any:
    """Leave *value* to the CDK where it stands: for a stack that the CDK itself writes."""
    return value


class Scribe:
    """Writes the blocks of one stack.

    *foreign* says whether a reference leaves the stack; *leave* takes what the CDK has to fill in and returns what
    stands there meanwhile.
    """

    __slots__ = ("foreign", "leave")

    def __init__(self, foreign: Callable[[Ref], bool], leave: Callable[[Any], Any]) -> None:
        self.foreign = foreign
        self.leave = leave

    def write(self, value: Any) -> Any:
        """Return *value* as Terraform JSON; unset entries of maps are left out.

        What says itself is returned as it is, not copied: almost every value of almost every job.
        """
        kind = type(value)
        if kind is str:
            return value if _says_itself(value) else self._string(value)
        if kind is int or kind is bool or value is None:
            return value
        if kind is Ref:
            return self.leave(value.token) if self.foreign(value) else str.__str__(value)
        if kind is dict:
            return value if _plain(value) else self._mapping(value)
        return self._other(value)

    def body(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments of a block as Terraform JSON, without those that are unset."""
        plain = {key: value for key, value in values.items() if type(value) is not Ref}
        if not _plain(plain):
            plain = {}
        rest = {key: self.write(value) for key, value in values.items() if key not in plain and value is not None}
        return {**plain, **rest}

    def _string(self, value: str) -> Any:
        written = escape(value)
        return self.leave(written) if is_expression(value) else written

    def _mapping(self, value: Mapping[Any, Any]) -> Any:
        keys = {key: self._key(key) for key in value}
        if any(map(is_expression, keys.values())):
            # Its keys are not known before the CDK fills them in, so the map crosses as a whole.
            whole = Scribe(self.foreign, through)
            return self.leave({keys[key]: whole.write(item) for key, item in value.items() if item is not None})
        return {keys[key]: self.write(item) for key, item in value.items() if item is not None}

    def _key(self, key: Any) -> str:
        if isinstance(key, Text):
            return self._joined(key)
        if isinstance(key, Ref):
            return self._reference(key)
        return escape(str(key))

    def _reference(self, ref: Ref) -> str:
        return ref.token if self.foreign(ref) else str.__str__(ref)

    def _joined(self, value: Text) -> str:
        return "".join(self._reference(part) if isinstance(part, Ref) else escape(part) for part in value.parts)

    def _other(self, value: Any) -> Any:
        if isinstance(value, Text):
            written = self._joined(value)
            return self.leave(written) if is_expression(written) else written
        if isinstance(value, str):
            return escape(value) if type(value) is Literal else self._string(str.__str__(value))
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, Sequence) and not is_expression(value):
            return [self.write(item) for item in value]
        plain = isinstance(value, float) and not is_expression(value)
        return value if plain else self.leave(list(value) if isinstance(value, Sequence) else value)


def _plain(value: dict[Any, Any]) -> bool:
    """Return whether everything in *value* is set and stands in JSON as Terraform and the CDK would read it.

    A look at all of it at once: as JSON it is searched ten times as fast as value by value.
    """
    try:
        written = orjson.dumps(value, option=_EXACT)
    except TypeError:
        return False
    for mark in _MARKS:  # noqa: SIM110 - `any` takes twice as long, ten thousand times
        if mark in written:
            return False
    return True


def _says_itself(value: str) -> bool:
    return "${" not in value and "%{" not in value and _TOKEN not in value and "\ufeff" not in value


def is_expression(value: Any) -> bool:
    """Return whether Terraform or the CDK is yet to fill in *value*, so that its type cannot be judged now."""
    if isinstance(value, Ref | Text):
        return True
    if isinstance(value, str):
        return _TOKEN in value and type(value) is not Literal
    if isinstance(value, float):
        return abs(value) > _NUMBER_TOKEN
    if isinstance(value, Mapping):
        return any(isinstance(key, str) and _TOKEN in key for key in value)
    if isinstance(value, Sequence):
        return any(_is_list_token(item) for item in value)
    return hasattr(value, "resolve")


def _is_list_token(item: Any) -> bool:
    """Return whether *item* is how the CDK writes a list it does not know yet: as the one item of a list."""
    return item.startswith("#{TfToken[") if isinstance(item, str) else isinstance(item, float) and is_expression(item)
