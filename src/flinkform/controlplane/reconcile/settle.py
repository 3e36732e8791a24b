"""Writes down what was seen of a run or a savepoint, with the event that tells of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.reconcile.decide import Do
from flinkform.controlplane.store import runs, savepoints
from flinkform.controlplane.store.intents import tell
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint

STATES: Mapping[Do, str] = {
    Do.TELL_STARTING: "STARTING",
    Do.TELL_RUNNING: "RUNNING",
    Do.TELL_CANCELLING: "CANCELLING",
    Do.END_CANCELLED: "CANCELLED",
    Do.END_FINISHED: "FINISHED",
    Do.END_FAILED: "FAILED",
    Do.END_LOST: "FAILED",
    Do.END_BROKEN: "FAILED",
    Do.END_HELD: "FAILED",
}
"""The API's word for what each of these steps writes down."""


def state(db: Connection, run: Run, do: Do, *, now: int, why: str = "") -> None:
    """Tell the API's state of a run that has not ended; *why* is the trouble it has, if any."""
    values: dict[str, Any] = {"state": STATES[do], "failure": failure(why, "", now=now) if why else None}
    if do is Do.TELL_RUNNING and run.started_at is None:
        values["started_at"] = now
    if runs.change(db, run, values, now=now) is not None:
        tell(db, run, f"JOB_{STATES[do]}", f"the job is {STATES[do]}" + (f": {why}" if why else ""), now=now)


def end(
    db: Connection, run: Run, do: Do, *, now: int, at: int | None = None, why: Mapping[str, Any] | None = None
) -> None:
    """Close a run for good; *at* is when Flink says it ended, *why* the failure as the API tells it."""
    values = {"state": STATES[do], "ended_at": at or now, "failure": why}
    if do is Do.END_FINISHED and run.started_at is None:
        values["started_at"] = at or now  # it ran and was done between two looks
    if runs.change(db, run, values, now=now) is not None:
        told = f": {why['reason']}" if why else ""
        tell(db, run, f"JOB_{STATES[do]}", f"the job is {STATES[do]}{told}", now=now)


def keep(db: Connection, run: Run, stop: Savepoint | None, *, now: int) -> None:
    """Clear the intent to stop: the job runs on, and an event says why it did not stop."""
    live = "RUNNING" if run.started_at is not None else "STARTING"
    values = {"intent": "RUN", "strategy": "NONE", "step": "CALLED", "state": live}
    if runs.change(db, run, values, now=now) is not None:
        reason = stop.failure["reason"] if stop and stop.failure else "its savepoint failed"
        tell(db, run, "JOB_STOP_FAILED", f"the job was not stopped and goes on: {reason}", now=now)


def hold(db: Connection, run: Run, why: str, *, now: int) -> None:
    """Let a job that fails too often end; only somebody's start runs it again."""
    values = {"intent": "HOLD", "strategy": "NONE", "step": "NEW", "state": "CANCELLING"}
    if runs.change(db, run, {**values, "failure": failure(why, "", now=now)}, now=now) is not None:
        tell(db, run, "JOB_QUARANTINED", f"the job is ended and stays so until it is started again: {why}", now=now)


def trouble(db: Connection, run: Run, why: Mapping[str, Any], counted: Mapping[str, Any], *, now: int) -> None:
    """Tell why a job keeps restarting, and when it did; its state stays."""
    if runs.change(db, run, {"failure": dict(why), "troubles": dict(counted)}, now=now) is not None:
        tell(db, run, "JOB_RESTARTING", f"the job failed and is restarting: {why['reason']}", now=now)


def completed(db: Connection, savepoint: Savepoint, run: Run | None, location: str, *, now: int) -> None:
    savepoints.change(db, savepoint.id, {"state": "COMPLETED", "location": location, "failure": None}, now=now)
    if run:
        tell(db, run, "SAVEPOINT_COMPLETED", f"savepoint {savepoint.id} is at {location}", now=now)


def failed(db: Connection, savepoint: Savepoint, run: Run | None, reason: str, *, now: int) -> None:
    why = failure(reason, "", now=now)
    savepoints.change(db, savepoint.id, {"state": "FAILED", "failure": why}, now=now)
    if run:
        tell(db, run, "SAVEPOINT_FAILED", f"savepoint {savepoint.id} failed: {reason}", now=now)


def failure(reason: str, details: str, *, now: int, advice: str = "") -> dict[str, Any]:
    """A failure as the API tells it, and what to do, which it tells with a job's diagnosis."""
    return {"failedAt": now, "reason": reason, "message": details or reason, **({"advice": advice} if advice else {})}
