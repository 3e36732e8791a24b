"""A clock that only waiting moves."""

from __future__ import annotations


class Time:
    """A clock and a stop in one: waiting moves it, so nothing sleeps; *limit* is when somebody presses Ctrl-C."""

    def __init__(self) -> None:
        self.now = 0.0
        self.limit = float("inf")

    def __call__(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()

    def is_set(self) -> bool:
        return self.now >= self.limit
