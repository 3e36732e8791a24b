"""Waiting for the API to get somewhere: ever longer pauses, a deadline, and an end at once when told to stop."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol, TypeVar

from flinkform.errors import Interrupted, TimedOut, Unavailable

FIRST, GROWTH, LONGEST = 0.2, 1.5, 5.0
"""Seconds of the first pause, how much longer each next one is, and where that ends."""

ABSENCES = 5
"""Looks in a row that nobody answers before waiting ends; the client tries each several times."""

T = TypeVar("T")

_PARTS = re.compile(r"(\d+)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


class Stop(Protocol):
    """What `threading.Event` is to a wait."""

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep; `True` at once when told to stop."""

    def is_set(self) -> bool:
        """Say whether it was told to stop."""


class Patience:
    """How long one apply may take, shared by all its waits."""

    __slots__ = ("_clock", "_deadline", "_seconds", "_stop")

    def __init__(self, seconds: float, *, clock: Callable[[], float], stop: Stop) -> None:
        self._seconds = seconds
        self._clock = clock
        self._deadline = clock() + seconds
        self._stop = stop

    def until(self, what: str, look: Callable[[], T | None]) -> T:
        """Return what *look* finds, asking ever more rarely while it finds `None`.

        Raises `TimedOut` after the last look, and `Interrupted` as soon as the provider is told to stop. A control
        plane that starts again meanwhile is waited for a few looks long.
        """
        pause, absences = FIRST, 0
        while not self._stop.is_set():
            try:
                found = look()
                absences = 0
            except Unavailable:
                found, absences = None, absences + 1
                if absences > ABSENCES:
                    raise
            if found is not None:
                return found
            left = self._deadline - self._clock()
            if left <= 0:
                raise TimedOut(f"gave up waiting for {what} after {self._seconds:g} s")
            self._stop.wait(min(pause, left))
            pause = min(pause * GROWTH, LONGEST)
        raise Interrupted(f"stopped waiting for {what}")


def seconds(duration: str) -> float:
    """Return a duration such as `1h30m` or `90s` in seconds."""
    return sum(int(count) * _UNITS[unit] for count, unit in _PARTS.findall(duration))
