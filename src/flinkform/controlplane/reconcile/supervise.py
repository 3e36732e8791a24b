"""Keeps the runtime up: starts it, starts it again when it died, and waits longer each time it dies early."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import structlog

from flinkform.controlplane.reconcile.crew import Crew
from flinkform.controlplane.reconcile.observe import Health
from flinkform.controlplane.reconcile.patience import Patience
from flinkform.errors import FlinkformError, Missing
from flinkform.flink.runtime import Runtime

NAME = "runtime"
_TRIES = 3
"""Starts that may fail before jobs are told that it cannot be started."""
_SETTLED = 60_000
"""Milliseconds after which a death is no longer counted as one more in a row."""

_log = structlog.get_logger(__name__)


class Supervisor:
    """Knows one runtime's health. A *life* is a stretch in which it ran; jobs do not survive its end."""

    def __init__(self, runtime: Runtime, crew: Crew, clock: Callable[[], int]) -> None:
        self._runtime = runtime
        self._crew = crew
        self._clock = clock
        self._lock = threading.Lock()
        self._patience = Patience(first=1000, limit=60_000)
        self._life: str | None = None
        self._since = 0
        self._reason = ""

    @property
    def trouble(self) -> str:
        """Why the runtime cannot be started, once that is known."""
        with self._lock:
            return "" if self._life else self._reason

    @property
    def life(self) -> str | None:
        """The life the runtime is in; None if it does not run."""
        with self._lock:
            return self._life if self._runtime.alive else None

    def check(self) -> Health:
        """What the runtime is now; begins a start, if one is due."""
        now = self._clock()
        with self._lock:
            if self._life is not None and not self._runtime.alive:
                self._died(now)
            due = self._life is None and not self._patience.waits(NAME, now)
        if due:
            self._crew.send(NAME, self._start)
        with self._lock:
            return Health(self._life, "" if self._life else self._reason)

    def _died(self, now: int) -> None:
        _log.warning("flink died", lived_ms=now - self._since)
        self._life = None
        if now - self._since < _SETTLED:
            self._patience.failed(NAME, now)
        else:
            self._patience.succeeded(NAME)

    def _start(self) -> None:
        try:
            self._runtime.start()
        except FlinkformError as error:
            self._failed(error)
            return
        except Exception as error:  # noqa: BLE001  the edge of a thread: nobody else would hear of it
            _log.exception("flink start")
            self._failed(error)
            return
        with self._lock:
            self._life, self._since, self._reason = uuid.uuid4().hex, self._clock(), ""
        _log.info("flink runs")

    def _failed(self, error: Exception) -> None:
        with self._lock:
            failures = self._patience.failed(NAME, self._clock())
            if isinstance(error, Missing) or failures >= _TRIES:
                self._reason = f"Flink cannot be started: {error}"
        _log.warning("flink did not start", reason=str(error), failures=failures)
