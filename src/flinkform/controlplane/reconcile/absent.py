"""The runtime of a machine that has none: every question is answered with the reason."""

# ruff: noqa: ARG002  every question has the same answer

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flinkform.errors import Missing, Unavailable
from flinkform.flink.contents import Contents
from flinkform.flink.plan import Plan
from flinkform.flink.rest import Page
from flinkform.flink.values import Death, Diagnosis, Observed, Problem, SavepointStatus, Slots, Submission


class Absent:
    """No Flink here, and *reason* says why; definitions can be kept all the same."""

    def __init__(self, reason: str, *, lasting: bool = False) -> None:
        self.reason = reason
        self.lasting = lasting

    @property
    def alive(self) -> bool:
        return False

    life, adaptive = None, False

    @property
    def silent(self) -> str:
        return self.reason if self.lasting else ""

    def page(self, path: str) -> Page:
        raise self._missing()

    @property
    def rest(self) -> str:
        raise self._missing()

    def start(self) -> None:
        raise Missing(self.reason)

    def stop(self) -> None:
        return

    def autopsy(self) -> Death:
        return Death("")

    def submit(self, job: Submission) -> None:
        raise self._missing()

    def observe(self) -> dict[str, Observed]:
        raise self._missing()

    def failure(self, job_id: str) -> Diagnosis | None:
        raise self._missing()

    def savepoint(self, job_id: str, directory: str, *, stop: bool, drain: bool = False, native: bool = False) -> str:
        raise self._missing()

    def savepoint_status(self, job_id: str, trigger: str) -> SavepointStatus:
        raise self._missing()

    def cancel(self, job_id: str) -> None:
        raise self._missing()

    def rescale(self, job_id: str, parallelism: int) -> int:
        raise self._missing()

    def validate(self, script: str, *, batch: bool, options: Mapping[str, str]) -> list[Problem]:
        raise self._missing()

    def compile(self, script: str, options: Mapping[str, str], *, name: str, batch: bool) -> Plan | None:
        raise self._missing()

    def contents(self, location: str) -> Contents | None:
        raise self._missing()

    def log_path(self, job_id: str) -> Path | None:
        return None

    def log(self, job_id: str, *, tail: int = 65536) -> str:
        return ""

    def levels(self, wanted: Mapping[str, str]) -> None:
        return

    def slots(self) -> Slots:
        raise self._missing()

    def _missing(self) -> Unavailable:
        return Unavailable(self.reason)
