"""Looks at the runtime, once for all jobs; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.decide import Facts, Progress, Sight, Snapshot, Taken
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.errors import FlinkformError, NotFound
from flinkform.flink import checkpoints
from flinkform.flink.values import Observed, SavepointStatus

LOST_AFTER = 3000
"""Milliseconds for which a job may be missing from Flink's list before it is believed."""


@dataclass(frozen=True, slots=True)
class Health:
    """The runtime itself: *life* names one stretch of running, None while it does not; *reason* is why it cannot."""

    life: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One look at everything."""

    health: Health
    at: int
    """When, in milliseconds."""
    jobs: Mapping[str, Observed] | None
    """By Flink's job id; None when the runtime did not answer."""
    taken: Mapping[str, SavepointStatus] = field(default_factory=dict)
    """What Flink said, by savepoint id."""
    forgotten: frozenset[str] = frozenset()
    """The savepoints Flink knows nothing of."""

    def job(self, run: Run) -> Observed | None:
        return self.jobs.get(run.job_id) if self.jobs is not None else None

    def sight(self, run: Run) -> Sight:
        if self.health.life is None:
            return Sight.BROKEN if self.health.reason else Sight.DOWN
        if self.jobs is None:
            return Sight.UNSEEN
        found = self.jobs.get(run.job_id)
        if found is not None:
            return Sight(found.state.value)
        if run.home != self.health.life:
            return Sight.GONE
        # Flink's list may be older than its answer to a submission.
        return Sight.LOST if self.at - run.modified_at >= LOST_AFTER else Sight.UNSEEN


def look(bench: Bench, health: Health, asked: Sequence[Savepoint]) -> View:
    """One call for all jobs, and one for each savepoint under way."""
    if health.life is None:
        return View(health, bench.clock(), {}, forgotten=frozenset(one.id for one in asked))
    at = bench.clock()
    try:
        jobs = bench.runtime.observe()
    except FlinkformError:
        return View(health, bench.clock(), None)
    taken, forgotten = {}, set()
    for one in asked:
        status = _status(bench, one) if one.home == health.life else None
        if status is None:
            forgotten.add(one.id)
        elif status is not _UNKNOWN:
            taken[one.id] = status
    return View(health, at, jobs, taken, frozenset(forgotten))


def facts(run: Run, view: View, stop: Savepoint | None) -> Facts:
    """What matters about a run; *stop* is the savepoint that its stop waits for."""
    return Facts(
        intent=run.intent,
        strategy=run.strategy,
        step=run.step,
        state=run.state,
        seen=view.sight(run),
        handed=run.home is not None,
        began=run.started_at is not None,
        batch=run.batch,
        retried=run.retries > 0,
        troubled=run.failure is not None,
        taken=_taken(stop),
    )


def snapshot(bench: Bench, savepoint: Savepoint, run: Run | None, view: View) -> Snapshot:
    """What matters about a savepoint under way, whose *run* may be gone."""
    status = view.taken.get(savepoint.id)
    lost = savepoint.step == "CALLING" or savepoint.id in view.forgotten or (status is not None and status.error)
    return Snapshot(
        step=savepoint.step,
        stop=savepoint.stop,
        seen=view.sight(run) if run else Sight.GONE,
        progress=_progress(savepoint, status, view),
        on_disk=bool(lost) and on_disk(bench, savepoint) is not None,
        wanted=run is not None and (not savepoint.stop or (run.intent == "STOP" and run.strategy != "NONE")),
    )


def on_disk(bench: Bench, savepoint: Savepoint) -> str | None:
    """Where a savepoint is complete in its own folder, whatever Flink says."""
    return checkpoints.inside(bench.savepoint(savepoint))


_UNKNOWN = SavepointStatus(done=False, error="no answer")


def _status(bench: Bench, savepoint: Savepoint) -> SavepointStatus | None:
    """None: Flink knows nothing of it."""
    run_id = savepoint.run_id.replace("-", "")
    try:
        return bench.runtime.savepoint_status(run_id, savepoint.trigger or "")
    except NotFound:
        return None
    except FlinkformError:
        return _UNKNOWN


def _progress(savepoint: Savepoint, status: SavepointStatus | None, view: View) -> Progress:
    if savepoint.id in view.forgotten:
        return Progress.FORGOTTEN
    if status is None:
        return Progress.UNASKED
    if not status.done:
        return Progress.UNDER_WAY
    return Progress.DONE if status.location else Progress.FAILED


def _taken(stop: Savepoint | None) -> Taken:
    if stop is None or stop.state == "STARTED":
        return Taken.PENDING
    return Taken.DONE if stop.state == "COMPLETED" else Taken.FAILED
