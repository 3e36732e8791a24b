"""How a value looks in Terraform and on the wire, where the two differ."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


class Codec(Protocol):
    """Two pure functions that undo each other; neither is asked about `None`."""

    def encode(self, value: Any) -> Any:
        """Return the API's form of a Terraform *value*."""

    def decode(self, value: Any) -> Any:
        """Return Terraform's form of the API's *value*."""


@runtime_checkable
class Lossy(Protocol):
    """A codec whose decode cannot tell all that encode was given."""

    def alike(self, ours: Any, seen: Any) -> bool:
        """Say whether *seen*, which was decoded, is what *ours* became."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The same on both sides."""

    def encode(self, value: Any) -> Any:
        return value

    def decode(self, value: Any) -> Any:
        return value


@dataclass(frozen=True, slots=True)
class Texts:
    """A map of strings that may come back as numbers and booleans: Flink options, labels."""

    def encode(self, value: Mapping[str, str]) -> dict[str, str]:
        return dict(value)

    def decode(self, value: Mapping[str, Any]) -> dict[str, str] | None:
        return {key: text(item) for key, item in value.items()} or None


@dataclass(frozen=True, slots=True)
class Pairs:
    """A map that the API keeps as a list of two-field objects: log levels."""

    key: str
    value: str

    def encode(self, value: Mapping[str, str]) -> list[dict[str, str]]:
        return [{self.key: name, self.value: item} for name, item in sorted(value.items())]

    def decode(self, value: list[Mapping[str, Any]]) -> dict[str, str] | None:
        return {text(item.get(self.key, "")): text(item.get(self.value, "")) for item in value} or None


@dataclass(frozen=True, slots=True)
class Words:
    """A word that stands for several of the API's; the first of them is what it is sent as."""

    words: Mapping[str, tuple[str, ...]]

    def encode(self, value: str) -> str:
        return self.words[value][0]

    def decode(self, value: str) -> str:
        return next((word for word, theirs in self.words.items() if value in theirs), value.lower())


@dataclass(frozen=True, slots=True)
class ComputeUnits:
    """A number of cores that the API wants with its memory beside it: 4 GB a core, always."""

    def encode(self, value: int) -> dict[str, int]:
        return {"Cpu": value, "MemoryGB": value * 4}

    def decode(self, value: Mapping[str, Any]) -> int:
        return int(value["Cpu"])


@dataclass(frozen=True, slots=True)
class Gibibytes:
    """An amount of memory, which the API writes as `4Gi` here and as `4 GiB` there."""

    def encode(self, value: str) -> str:
        return value

    def decode(self, value: str) -> str:
        return f"{found[1]}Gi" if (found := re.fullmatch(r"([\d.]+)\s*G(i|iB|B)?", value)) else value


def text(value: Any) -> str:
    """Return a scalar as Flink writes it: `true`, not `True`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@dataclass(frozen=True, slots=True)
class Labels:
    """A map of strings of which those under *ours* belong to flinkform and stay out of sight."""

    ours: str

    def encode(self, value: Mapping[str, str]) -> dict[str, str]:
        return dict(value)

    def decode(self, value: Mapping[str, Any]) -> dict[str, str] | None:
        return {key: text(item) for key, item in value.items() if not key.startswith(self.ours)} or None
