"""What Flink's planner says about scripts, without a cluster and without running any of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from flinkform.flink.compile import compiled
from flinkform.flink.environment import read
from flinkform.flink.gateway import Gateway
from flinkform.flink.jvm import Jvm
from flinkform.flink.plan import Plan
from flinkform.flink.settings import Settings
from flinkform.flink.values import Problem


def validate(gateway: Gateway, script: str, *, batch: bool, options: Mapping[str, str]) -> list[Problem]:
    """Every problem of a script, in the order of its lines. TimedOut or Unavailable when the planner is silent."""
    found = read(gateway, script, batch_default=batch, options=options, dry=True).problems
    return sorted(found, key=lambda problem: (problem.line, problem.column))


class Planner:
    """A JVM that plans and never runs; safe from many threads.

    >>> with Planner(settings) as planner:
    ...     planner.validate("INSERT INTO t SELECT 1", batch=False, options={})
    """

    def __init__(self, settings: Settings) -> None:
        self._jvm = Jvm(settings)

    def __enter__(self) -> Self:
        self._jvm.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._jvm.stop()

    def validate(self, script: str, *, batch: bool, options: Mapping[str, str]) -> list[Problem]:
        return validate(self._jvm.gateway, script, batch=batch, options=options)

    def compile(
        self, script: str, options: Mapping[str, str], *, name: str = "script", batch: bool = False
    ) -> Plan | None:
        """The compiled plan, ids from 1; None for a batch job. Invalid: the first problem, with its place in *name*."""
        return compiled(self._jvm.gateway, script, name=name, batch=batch, options=options)
