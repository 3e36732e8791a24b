"""What a runtime of Flink jobs can do, whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from flinkform.flink.values import Diagnosis, Observed, Problem, SavepointStatus, Slots, Submission


class Runtime(Protocol):
    """Something that runs Flink jobs.

    Every call is safe from many threads and bounded in time. A runtime that does not answer raises
    Unavailable: that says nothing about the jobs in it.
    """

    @property
    def alive(self) -> bool: ...

    @property
    def rest(self) -> str:
        """Base URL of Flink's REST; Unavailable while there is none."""
        ...

    def start(self) -> None:
        """Return when jobs can be submitted; harmless when it runs already.

        Missing: no Flink or Java. Unavailable: it did not come up, with the end of what it printed.
        """
        ...

    def stop(self) -> None:
        """End it and everything in it; checkpoints stay. Never raises, harmless when it does not run."""
        ...

    def submit(self, job: Submission) -> None:
        """Hand a job over; returns before it runs. The same id again is not an error while Flink remembers it.

        Invalid: the script, with the place in the message and `position`. Conflict: not enough slots.
        """
        ...

    def observe(self) -> dict[str, Observed]:
        """Every job this runtime remembers, by id, at the cost of one call."""
        ...

    def failure(self, job_id: str) -> Diagnosis | None:
        """Why a job failed or keeps restarting; None if it did not, or is not known."""
        ...

    def savepoint(self, job_id: str, directory: str, *, stop: bool, drain: bool = False, native: bool = False) -> str:
        """Begin a savepoint below *directory* and return its trigger id; with *stop* the job then ends as FINISHED.

        *drain* flushes windows and timers for good: for a job that never comes back. NotFound: no such job.
        """
        ...

    def savepoint_status(self, job_id: str, trigger: str) -> SavepointStatus:
        """How far it is; NotFound when the runtime no longer knows the trigger (it was restarted since)."""
        ...

    def cancel(self, job_id: str) -> None:
        """End a job without a savepoint; its checkpoints stay. Harmless when it ended already or is not known."""
        ...

    def validate(self, script: str, *, batch: bool, options: Mapping[str, str]) -> list[Problem]:
        """What Flink's planner says about a script, without running any of it."""
        ...

    def log_path(self, job_id: str) -> Path | None:
        """The file a job logs to; None until it has logged."""
        ...

    def log(self, job_id: str, *, tail: int = 65536) -> str:
        """The last *tail* bytes of a job's log, whole lines; empty while there are none."""
        ...

    def slots(self) -> Slots: ...
