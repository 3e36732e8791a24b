"""Keeps the runtimes up: starts them, starts again one that died, and waits longer each time it dies early."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterable

import structlog

from flinkform.controlplane.reconcile.crew import Crew
from flinkform.controlplane.reconcile.observe import Health
from flinkform.controlplane.reconcile.patience import Patience
from flinkform.errors import FlinkformError, Killed, Missing
from flinkform.flink.fleet import SHARED, Fleet, Seat
from flinkform.flink.runtime import Runtime
from flinkform.flink.values import Death

_TRIES = 3
"""Starts in a row that may fail before jobs are told that it cannot be started."""
_KILLS = 10
"""The same of starts that somebody else ended: a machine that is out of memory does, and a while later not."""
_SETTLED = 60_000
"""Milliseconds after which a death is no longer counted as one more in a row."""

_IDLE = 60_000
"""Milliseconds for which a JVM that no run needs is kept: most likely the next run of the same job."""

_log = structlog.get_logger(__name__)


class Supervisor:
    """Knows one runtime's health. A *life* is a stretch in which it ran; jobs do not survive its end."""

    def __init__(self, runtime: Runtime, crew: Crew, clock: Callable[[], int], *, name: str = "runtime") -> None:
        self._runtime = runtime
        self._crew = crew
        self._clock = clock
        self._name = name
        self._lock = threading.Lock()
        self._patience = Patience(first=1000, limit=60_000)
        self._life: str | None = None
        self._since = 0
        self._reason = ""
        self._failures: Counter[bool] = Counter()
        """Starts that failed since it ran last, by whether they were killed."""

    @property
    def trouble(self) -> str:
        """Why the runtime cannot be started, once that is known."""
        with self._lock:
            return "" if self._life else self._reason

    @property
    def life(self) -> str | None:
        """The life the runtime is in, which ends when we do; None if it does not run, or outlasts us."""
        with self._lock:
            return self._life if self._runtime.alive and not self._runtime.lasting else None

    def check(self) -> Health:
        """What the runtime is now; begins a start, if one is due. One that fell is first to be looked at."""
        now = self._clock()
        with self._lock:
            if self._life is not None and not self._runtime.alive:
                return Health()
            due = self._life is None and not self._patience.waits(self._name, now)
        if due:
            self._crew.send(self._name, self._start)
        with self._lock:
            if self._life and self._runtime.life:
                self._life = self._runtime.life
            return Health(self._life, "" if self._life else self._reason, self._runtime.lasting)

    def fallen(self) -> tuple[str, Death] | None:
        """The life that has ended since this was last asked, and why; None if none has."""
        with self._lock:
            life = self._life
            if life is None or self._runtime.alive:
                return None
            self._died(self._clock())
        return life, self._runtime.autopsy()

    def _died(self, now: int) -> None:
        _log.warning("flink died", runtime=self._name, lived_ms=now - self._since)
        self._life = None
        if now - self._since < _SETTLED:
            self._patience.failed(self._name, now)
        else:
            self._patience.succeeded(self._name)

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
            life = self._runtime.life or uuid.uuid4().hex
            self._life, self._since, self._reason = life, self._clock(), ""
            self._failures.clear()
        _log.info("flink runs", runtime=self._name)

    def _failed(self, error: Exception) -> None:
        with self._lock:
            self._patience.failed(self._name, self._clock())
            killed = isinstance(error, Killed)
            self._failures[killed] += 1
            failures = self._failures[killed]
            if isinstance(error, Missing) or failures >= (_KILLS if killed else _TRIES):
                self._reason = str(error) if self._runtime.lasting else f"Flink cannot be started: {error}"
        _log.warning("flink did not start", runtime=self._name, reason=str(error), failures=failures)


class Supervision:
    """Knows the health of every runtime that is needed, and ends those that no longer are."""

    def __init__(self, fleet: Fleet, crew: Crew, clock: Callable[[], int]) -> None:
        self._fleet = fleet
        self._crew = crew
        self._clock = clock
        self._all: dict[Seat, Supervisor] = {}
        self._needed: dict[Seat, int] = {}

    @property
    def trouble(self) -> str:
        """Why the runtime that most jobs share cannot be started, once that is known."""
        return self._of(SHARED).trouble

    @property
    def lives(self) -> dict[Seat, str]:
        """The life of each runtime that runs, and ends when we do."""
        return {seat: life for seat, one in list(self._all.items()) if (life := one.life)}

    def fallen(self) -> list[tuple[Seat, str, Death]]:
        """The runtimes that died since the last look, each with the life that ended and why."""
        found = ((seat, one.fallen()) for seat, one in self._all.items())
        return [(seat, *death) for seat, death in found if death]

    def check(self, needed: Iterable[Seat]) -> dict[Seat, Health]:
        """What each runtime is now; begins starts that are due. The shared one is always needed."""
        now = self._clock()
        self._needed |= dict.fromkeys((SHARED, *needed), now)
        for seat in [seat for seat, last in self._needed.items() if now - last >= _IDLE]:
            self._retire(seat)
        return {seat: self._of(seat).check() for seat in self._needed}

    def end(self, seat: Seat) -> None:
        """Stop a runtime that shall be started anew."""
        self._crew.send(f"end {_name(seat)}", self._fleet.at(seat).stop)

    def drop(self, seat: Seat) -> bool:
        """Begin to end a runtime that is made anew when it is needed again; False while it is busy with something."""
        name = _name(seat)
        if name in self._crew.busy:
            return False
        self._needed.pop(seat, None)
        self._all.pop(seat, None)
        if runtime := self._fleet.forget(seat):
            self._crew.send(name, runtime.stop)
        return True

    def ended(self, seat: Seat) -> bool:
        """Whether what was dropped has ended."""
        return _name(seat) not in self._crew.busy

    def _of(self, seat: Seat) -> Supervisor:
        if seat not in self._all:
            self._all[seat] = Supervisor(self._fleet.at(seat), self._crew, self._clock, name=_name(seat))
        return self._all[seat]

    def _retire(self, seat: Seat) -> None:
        """End a runtime; should it be needed meanwhile, its start waits for its end."""
        if self._crew.send(_name(seat), self._fleet.at(seat).stop):
            self._needed.pop(seat)
            self._all.pop(seat, None)


def _name(seat: Seat) -> str:
    return f"runtime {seat.folder}"
