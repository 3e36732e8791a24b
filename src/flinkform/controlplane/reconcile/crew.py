"""A few threads for calls that take their time, never two at once for the same thing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor


class Crew:
    """Runs work by name on an executor; a name that is busy takes no more."""

    def __init__(self, executor: Executor, *, done: Callable[[], None] = lambda: None) -> None:
        """*done* is called after each piece of work, from its thread."""
        self._executor = executor
        self._done = done
        self._lock = threading.Lock()
        self._names: set[str] = set()

    @property
    def busy(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._names)

    def send(self, name: str, work: Callable[[], None]) -> bool:
        """Begin a piece of work; False when that name is busy."""
        with self._lock:
            if name in self._names:
                return False
            self._names.add(name)
        try:
            self._executor.submit(self._run, name, work)
        except RuntimeError:  # shut down: the next start of the control plane takes it up
            self._names.discard(name)
            return False
        return True

    def close(self) -> None:
        """Wait for what is under way; what has not begun is dropped."""
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _run(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._lock:
                self._names.discard(name)
            self._done()
