"""Looks at the runtimes, at each once for all its jobs; changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.decide import Facts, Progress, Sight, Snapshot, Taken
from flinkform.controlplane.reconcile.eyes import Answer, Eyes
from flinkform.controlplane.reconcile.seating import seat
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.errors import FlinkformError, NotFound
from flinkform.flink import checkpoints
from flinkform.flink.fleet import Seat
from flinkform.flink.values import Observed, SavepointStatus

LOST_AFTER = 3000
"""Milliseconds for which a job may be missing from Flink's list before it is believed."""


@dataclass(frozen=True, slots=True)
class Health:
    """A runtime itself: *life* names one stretch of running, None while it does not; *reason* is why it cannot.

    Jobs of a *lasting* one go on, whether it is seen or not.
    """

    life: str | None = None
    reason: str = ""
    lasting: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one runtime."""

    health: Health = Health()
    at: int = 0
    """When it was asked, in milliseconds."""
    jobs: Mapping[str, Observed] | None = field(default_factory=dict)
    """By Flink's job id; None when the runtime did not answer."""


_DARK = Look()
"""A runtime that nobody has asked for yet."""


@dataclass(frozen=True, slots=True)
class View:
    """One look at everything."""

    at: int
    """When, in milliseconds."""
    looks: Mapping[Seat, Look]
    taken: Mapping[str, SavepointStatus] = field(default_factory=dict)
    """What Flink said, by savepoint id."""
    forgotten: frozenset[str] = frozenset()
    """The savepoints Flink knows nothing of."""

    @property
    def whole(self) -> bool:
        """Every runtime that is asked for runs."""
        return all(look.health.life is not None for look in self.looks.values())

    def of(self, run: Run) -> Look:
        """What was seen where the run sits."""
        return self.looks.get(seat(run), _DARK)

    def job(self, run: Run) -> Observed | None:
        return (self.of(run).jobs or {}).get(run.job_id)

    def sight(self, run: Run) -> Sight:
        look = self.of(run)
        if look.health.life is None:
            if look.health.lasting and run.home is not None:
                return Sight.UNSEEN
            return Sight.BROKEN if look.health.reason else Sight.DOWN
        if look.jobs is None:
            return Sight.UNSEEN
        found = look.jobs.get(run.job_id)
        if found is not None:
            return Sight(found.state.value)
        if run.home != look.health.life:
            return Sight.GONE
        # Flink's list may be older than its answer to a submission.
        return Sight.LOST if look.at - run.modified_at >= LOST_AFTER else Sight.UNSEEN


def look(
    bench: Bench, eyes: Eyes, healths: Mapping[Seat, Health], asked: Sequence[tuple[Savepoint, Run | None]]
) -> View:
    """One call for all jobs of a runtime, and one for each savepoint under way, with the run it is of."""
    at = bench.clock()
    answers = eyes.look({seat: health.life for seat, health in healths.items() if health.life is not None})
    # Where nothing runs there are no jobs; of one that cannot be seen, and outlasts us, nothing is known.
    looks = {
        seat: Look(health, *answers.get(seat, Answer(at, None if health.lasting else {})))
        for seat, health in healths.items()
    }
    taken, forgotten = {}, set()
    for one, run in asked:
        found = looks.get(seat(run), _DARK) if run else _DARK
        if found.jobs is None:
            continue
        status = _status(bench, one, run) if run and found.health.life and one.home == found.health.life else None
        if status is None:
            forgotten.add(one.id)
        elif status is not _UNKNOWN:
            taken[one.id] = status
    return View(at, looks, taken, frozenset(forgotten))


def facts(
    run: Run,
    view: View,
    stop: Savepoint | None,
    *,
    moving: bool = False,
    restless: bool = False,
    flapping: bool = False,
) -> Facts:
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
        restless=restless,
        flapping=flapping,
        moving=moving,
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
        on_disk=bool(lost) and on_disk(bench, savepoint, run) is not None,
        wanted=run is not None and (not savepoint.stop or (run.intent == "STOP" and run.strategy != "NONE")),
    )


def on_disk(bench: Bench, savepoint: Savepoint, run: Run | None) -> str | None:
    """Where a savepoint is complete in its own folder, whatever Flink says."""
    return checkpoints.inside(bench.savepoint(savepoint, run))


_UNKNOWN = SavepointStatus(done=False, error="no answer")


def _status(bench: Bench, savepoint: Savepoint, run: Run) -> SavepointStatus | None:
    """None: Flink knows nothing of it."""
    try:
        return bench.runtime(run).savepoint_status(run.job_id, savepoint.trigger or "")
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
