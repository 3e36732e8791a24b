"""What nobody needs any more: how many savepoints and checkpoints are kept, and all that is kept for how long."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flinkform.errors import Invalid, Path

NEWEST, AGE = "savepoints.newest", "savepoints.age"
"""The labels by which a deployment has a policy of its own."""

_SPAN = re.compile(r"(\d{1,9})([smhd])")
_UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


@dataclass(frozen=True, slots=True)
class Policy:
    """The *newest* so many are kept, and those younger than *age* milliseconds; without an age the number alone holds.

    It is about what flinkform took by itself, never about what a person asked for.
    """

    newest: int = 5
    age: int | None = None

    def of(self, labels: Mapping[str, Any]) -> Policy:
        """The policy of a deployment with these labels. Invalid: they make no sense."""
        own = self
        if NEWEST in labels:
            own = replace(own, newest=_whole(str(labels[NEWEST])))
        if AGE in labels:
            own = replace(own, age=duration(str(labels[AGE]), at=("labels", AGE)))
        return own


@dataclass(frozen=True, slots=True)
class Ages:
    """Milliseconds for which rows of the audit log are kept (for ever, if unset), and files that no job needs."""

    audit: int | None = None
    artifacts: int = 30 * _UNITS["d"]


@dataclass(frozen=True, slots=True)
class Kept:
    """Something with files: what it is called, and when it was made, in milliseconds."""

    name: str
    made: int


def surplus(found: Iterable[Kept], policy: Policy, *, needed: Collection[str], now: int) -> list[str]:
    """The names of what may go: neither among the newest, nor young, nor *needed*."""
    ordered = sorted(found, key=lambda one: one.made, reverse=True)
    youngest = now - policy.age if policy.age is not None else now + 1
    return [one.name for one in ordered[policy.newest :] if one.made < youngest and one.name not in needed]


def duration(text: str, *, at: Path = ()) -> int:
    """Milliseconds. Invalid: it is none."""
    match = _SPAN.fullmatch(text)
    if not match:
        raise Invalid(f"expected a duration such as 90m, 36h or 7d, got {text[:40]!r}", at=at)
    return int(match[1]) * _UNITS[match[2]]


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,6}", text):
        why = f"expected how many savepoints are kept, 0 or more, got {text[:40]!r}"
        raise Invalid(why, at=("labels", NEWEST))
    return int(text)
