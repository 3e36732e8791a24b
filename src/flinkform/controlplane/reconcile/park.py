"""Puts jobs to rest before the control plane ends, so that they go on exactly there at its next start."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from flinkform.controlplane.reconcile import act, observe, settle
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.eyes import Eyes
from flinkform.controlplane.reconcile.observe import Health
from flinkform.controlplane.reconcile.seating import seat
from flinkform.controlplane.store import intents, runs, savepoints
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import PARKED, Savepoint
from flinkform.errors import FlinkformError
from flinkform.flink.fleet import Seat

_log = structlog.get_logger(__name__)


def park(bench: Bench, eyes: Eyes, lives: Mapping[Seat, str], *, milliseconds: int, pause: Callable[[], None]) -> None:
    """Stop every running job with a savepoint that the next start finds; desired states stay as they are.

    What is not done in time goes on from its newest checkpoint instead. The loop must not look meanwhile: it
    would take the jobs for finished. *pause* is called between two looks.
    """
    deadline = bench.clock() + milliseconds
    with bench.store.read() as db:
        going = [run for run in runs.live(db) if _can(run, lives)]
    waiting = {one.id: (one, run) for run in going if (one := _begin(bench, run, lives[seat(run)]))}
    healths = {at: Health(life) for at, life in lives.items()}
    while waiting and bench.clock() < deadline:
        view = observe.look(bench, eyes, healths, list(waiting.values()))
        if not any(bench.fleet.at(at).alive for at in lives):
            break
        for done in [name for name in waiting if name in view.taken and view.taken[name].done]:
            _end(bench, *waiting.pop(done), view.taken[done].location, view.taken[done].error)
        for lost in view.forgotten & waiting.keys():
            waiting.pop(lost)
        if waiting:
            pause()
    _log.info("jobs are at rest", asked=len(going), late=len(waiting))


def _can(run: Run, lives: Mapping[Seat, str]) -> bool:
    here = run.home is not None and run.home == lives.get(seat(run))
    return run.state == "RUNNING" and run.intent == "RUN" and here and not run.batch


def _begin(bench: Bench, run: Run, life: str) -> Savepoint | None:
    """Ask for one; it is written down first, so that the next start finds it even if we are killed meanwhile."""
    with bench.store.write() as db:
        made = intents.taken(run, PARKED, bench.clock())
        savepoints.add(db, made)
    try:
        act.trigger(bench, made, run, life)
    except FlinkformError as error:
        _log.warning("a job is not put to rest", deployment=run.deployment_id, reason=str(error))
        return None
    with bench.store.read() as db:
        asked = savepoints.find(db, made.id)
    return asked if asked and asked.trigger and asked.state == "STARTED" else None


def _end(bench: Bench, one: Savepoint, run: Run, location: str | None, error: str | None) -> None:
    now = bench.clock()
    with bench.store.write() as db:
        if location is None:
            settle.failed(db, one, run, error or "the savepoint failed", now=now)
            return
        settle.completed(db, one, run, location, now=now)
        # The one before has done its duty.
        for former in savepoints.completed(db, run.deployment_id):
            if former.origin == PARKED and former.id != one.id:
                savepoints.request_delete(db, former, now=now)
