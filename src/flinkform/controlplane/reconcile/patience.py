"""Who has to wait before the next try, and how long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True)
class _Wait:
    failures: int
    until: int


class Patience:
    """Doubles the wait at each failure in a row, up to a limit; times in milliseconds."""

    def __init__(self, *, first: int, limit: int) -> None:
        self._first = first
        self._limit = limit
        self._waits: dict[str, _Wait] = {}

    def failed(self, name: str, now: int) -> int:
        """Note a failure; how many there were in a row."""
        failures = self.failures(name) + 1
        wait = min(self._limit, self._first * 2 ** min(failures - 1, 30))
        self._waits[name] = _Wait(failures, now + wait)
        return failures

    def succeeded(self, name: str) -> None:
        self._waits.pop(name, None)

    def only(self, names: Iterable[str]) -> None:
        """Forget all others."""
        self._waits = {name: self._waits[name] for name in names if name in self._waits}

    def failures(self, name: str) -> int:
        return self._waits[name].failures if name in self._waits else 0

    def waits(self, name: str, now: int) -> bool:
        return name in self._waits and now < self._waits[name].until
