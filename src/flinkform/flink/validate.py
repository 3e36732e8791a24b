"""What Flink's planner says about scripts, without a cluster and without running any of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self

from flinkform.errors import TimedOut, Unavailable
from flinkform.flink import environment
from flinkform.flink.compile import compiled
from flinkform.flink.environment import read
from flinkform.flink.gateway import Gateway
from flinkform.flink.jvm import Jvm
from flinkform.flink.plan import Plan
from flinkform.flink.settings import Settings
from flinkform.flink.turns import Turns
from flinkform.flink.values import Problem, Seen

log = logging.getLogger(__name__)


def validate(gateway: Gateway, script: str, *, batch: bool, options: Mapping[str, str]) -> list[Problem]:
    """Every problem of a script, in the order of its lines. TimedOut or Unavailable when the planner is silent."""
    return list(look(gateway, script, batch=batch, options=options).problems)


def look(gateway: Gateway, script: str, *, batch: bool, options: Mapping[str, str]) -> Seen:
    """What is wrong in a script, in the order of its lines, and its tables; raises as `validate` does."""
    found = read(gateway, script, batch_default=batch, options=options, dry=True)
    problems = sorted(found.problems, key=lambda problem: (problem.line, problem.column))
    return Seen(tuple(problems), found.tables.found)


class Planner:
    """A JVM that plans and never runs; safe from many threads.

    A script may take Flink's planner down: constant expressions are computed as they are planned, for ever or until
    the memory is full. Then that script has a problem, and the JVM is started again for the others.

    >>> with Planner(settings) as planner:
    ...     planner.validate("INSERT INTO t SELECT 1", batch=False, options={})
    """

    def __init__(self, settings: Settings, *, locks: Sequence[int] = ()) -> None:
        self._jvm = Jvm(settings, locks=locks)
        self._seconds = settings.call_timeout
        self._turns = Turns()

    def __enter__(self) -> Self:
        self._jvm.start()
        try:
            environment.check(self._jvm.gateway)
        except BaseException:
            self._jvm.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the JVM; the next question starts another one."""
        self._jvm.stop()

    @property
    def pid(self) -> int | None:
        return self._jvm.pid

    def validate(self, script: str, *, batch: bool, options: Mapping[str, str]) -> list[Problem]:
        """Every problem of a script. Unavailable, Missing: the JVM cannot be started again."""
        return list(self.look(script, batch=batch, options=options).problems)

    def look(self, script: str, *, batch: bool, options: Mapping[str, str]) -> Seen:
        """Every problem of a script, and its tables; raises as `validate` does."""
        with self._turns.shared():
            pid = self._jvm.pid
            try:
                return look(self._jvm.gateway, script, batch=batch, options=options)
            except (TimedOut, Unavailable) as error:
                log.info("asking about a script alone: %s", error)
                place = error.position
        # Whose fault it was shows when nobody else is asking.
        with self._turns.alone():
            if not self._jvm.alive or self._jvm.pid == pid:
                self._jvm.start()
            try:
                return look(self._jvm.gateway, script, batch=batch, options=options)
            except TimedOut as error:
                reason, place = f"Flink's planner was not done within {self._seconds:g} s", error.position or place
            except Unavailable as error:
                if error.position is None:
                    raise
                reason, place = "Flink's planner did not survive it; it may need too much memory", error.position
            self._jvm.start()
        line, column = (place.line, place.column) if place else (1, 1)
        message = f"{reason}; look for expensive constant expressions"
        return Seen((Problem(line, column, line, column, message, passing=True),))

    def compile(
        self, script: str, options: Mapping[str, str], *, name: str = "script", batch: bool = False
    ) -> Plan | None:
        """The compiled plan, ids from 1; None for a batch job. Invalid: the first problem, with its place in *name*."""
        return compiled(self._jvm.gateway, script, name=name, batch=batch, options=options)
