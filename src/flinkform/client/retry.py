"""Whether a failed call is worth another try, and when."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from flinkform.errors import FlinkformError

PATIENCE = 120.0
"""Seconds that the API may ask us to stay away; beyond that the failure is reported at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One failed try.

    *again* says that another try could help; *executed* that this one may have been carried out. *after* is
    the pause the API asks for, in seconds.
    """

    error: FlinkformError
    again: bool = False
    executed: bool = True
    throttled: bool = False
    after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Exponential backoff with full jitter; *first* and *longest* are seconds, *draw* returns [0, 1)."""

    attempts: int = 5
    throttled: int = 10
    first: float = 0.25
    longest: float = 20.0
    draw: Callable[[], float] = random.random

    def pause(self, failure: Failure, *, tried: int, idempotent: bool) -> float | None:
        """Return the seconds to wait after *tried* tries, or `None` to give up."""
        if not failure.again or (failure.executed and not idempotent):
            return None
        if tried >= (self.throttled if failure.throttled else self.attempts):
            return None
        backoff = self.draw() * min(self.longest, self.first * 2.0 ** (tried - 1))
        if failure.after is None:
            return backoff
        return failure.after + backoff if failure.after <= PATIENCE else None
