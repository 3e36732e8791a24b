"""How fast we ask: as fast as we like until the API says it is too fast, then as fast as it takes."""

from __future__ import annotations

import threading
from collections.abc import Callable

FIRST = 0.05
"""Seconds between two requests after the first complaint."""
LONGEST = 2.0
"""Seconds between two requests at the slowest."""
_EASE = 0.97
_SETTLE = 1.0


class Rate:
    """The distance between requests, shared by all threads of a client: doubled by a complaint, eased by success."""

    def __init__(self, *, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._gap = 0.0
        self._next = 0.0
        self._slowed = float("-inf")

    @property
    def gap(self) -> float:
        """Seconds between two requests now; 0 while nobody complained."""
        return self._gap

    def wait(self) -> None:
        """Sleep until the next request may go."""
        if not self._gap:
            return
        with self._lock:
            now = self._clock()
            start = min(max(now, self._next), now + 60.0)  # a clock that was set back must not stop us
            self._next = start + self._gap
        if start > now:
            self._sleep(start - now)

    def slower(self) -> None:
        """The API complained. Complaints of one moment count once: parallel requests meet the same limit."""
        with self._lock:
            now = self._clock()
            if abs(now - self._slowed) >= _SETTLE:
                self._slowed = now
                self._gap = min(max(self._gap * 2, FIRST), LONGEST)

    def faster(self) -> None:
        """The API took a request."""
        if self._gap:
            with self._lock:
                self._gap = self._gap * _EASE if self._gap > FIRST / 50 else 0.0
