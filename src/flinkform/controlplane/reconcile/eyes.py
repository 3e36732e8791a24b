"""Asks every runtime for its jobs at the same time, so that one that is slow to answer holds up no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, wait
from typing import NamedTuple

from flinkform.errors import FlinkformError
from flinkform.flink.fleet import Fleet, Seat
from flinkform.flink.values import Observed

Jobs = Mapping[str, Observed]
PATIENCE = 2.0
"""Seconds that a look takes at most; an answer that comes later belongs to the next."""


class Answer(NamedTuple):
    """The jobs of a runtime as they were when it was asked, in milliseconds; None when it did not answer."""

    at: int
    jobs: Jobs | None


class _Question(NamedTuple):
    life: str
    at: int
    jobs: Future[Jobs | None]


class Eyes:
    """One question at a time for each runtime."""

    def __init__(
        self, fleet: Fleet, executor: Executor, clock: Callable[[], int], *, patience: float = PATIENCE
    ) -> None:
        self._fleet = fleet
        self._executor = executor
        self._clock = clock
        self._patience = patience
        self._open: dict[Seat, _Question] = {}

    def look(self, lives: Mapping[Seat, str]) -> dict[Seat, Answer]:
        """What runtimes answer soon, each in the life it is in."""
        for seat, life in lives.items():
            if seat not in self._open:
                self._open[seat] = _Question(life, self._clock(), self._executor.submit(self._ask, seat, life))
        wait([self._open[seat].jobs for seat in lives], self._patience)
        return {seat: self._answer(seat, life) for seat, life in lives.items()}

    def close(self) -> None:
        """Wait for no answer any more."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _answer(self, seat: Seat, life: str) -> Answer:
        question = self._open[seat]
        if not question.jobs.done():
            return Answer(question.at, None)
        del self._open[seat]
        return Answer(question.at, question.jobs.result() if question.life == life else None)

    def _ask(self, seat: Seat, life: str) -> Jobs | None:
        runtime = self._fleet.at(seat)
        try:
            jobs = runtime.observe()
        except FlinkformError:
            return None
        # A cluster may have come back since its life was noted: what it does not know is not lost in that life.
        return jobs if runtime.life in (None, life) else None
