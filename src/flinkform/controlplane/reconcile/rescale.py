"""Leads changes of a running job's parallelism: asks Flink, waits until it took them up, and takes them back if not."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from flinkform.controlplane.reconcile import settle
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.decide import Change, Move, move
from flinkform.controlplane.reconcile.observe import View
from flinkform.controlplane.store import deployments, rescales, runs
from flinkform.controlplane.store.intents import tell
from flinkform.controlplane.store.rescales import DONE, FAILED, Rescale
from flinkform.controlplane.store.runs import PARALLELISM, Run, parallelism, put
from flinkform.errors import Conflict, NotFound

PATIENCE = 60_000
"""Milliseconds that Flink may take from the call to the last task."""


def step(one: Rescale, run: Run | None, view: View, *, saving: Collection[str]) -> Move:
    """What to do about one change now; *saving* are the runs of which a savepoint is being taken."""
    seen = view.job(run) if run else None
    return move(
        Change(
            step=one.step,
            seen=view.sight(run) if run else None,
            wanted=run is not None and run.live and run.intent == "RUN",
            reached=seen is not None and seen.tasks_total == one.tasks,
            late=view.at - one.modified_at >= PATIENCE,
            saving=one.run_id in saving,
        )
    )


def call(bench: Bench, one: Rescale, run: Run) -> None:
    """Ask Flink for it. A refusal changes nothing; a job that is gone is left to the next look."""
    with bench.store.write() as db:
        rescales.change(db, one.id, {"step": "CALLING"}, now=bench.clock())
    try:
        tasks = bench.runtime(run).rescale(run.job_id, one.parallelism)
    except NotFound:
        return
    except Conflict as error:
        with bench.store.write() as db:
            _failed(db, one, run, str(error), now=bench.clock())
        return
    with bench.store.write() as db:
        rescales.change(db, one.id, {"step": "CALLED", "tasks": tasks}, now=bench.clock())
        _define(db, run.id, one.parallelism, now=bench.clock())


def undo(bench: Bench, one: Rescale, run: Run) -> None:
    """Give up what Flink did not take up in time."""
    bench.runtime(run).rescale(run.job_id, one.former)
    with bench.store.write() as db:
        _define(db, run.id, one.former, now=bench.clock())
        _failed(db, one, run, f"Flink did not take it up within {PATIENCE // 1000} s", now=bench.clock())


def note(db: Connection, one: Rescale, run: Run | None, do: Move, *, now: int) -> None:
    """Write down how it ended."""
    if do is Move.FAIL or run is None:
        going = run is not None and run.live and run.intent == "RUN"
        _failed(db, one, run, "the job did not run" if going else "the job ended or is being stopped", now=now)
        return
    rescales.change(db, one.id, {"state": DONE}, now=now)
    message = f"the job runs on with parallelism {one.parallelism} instead of {one.former}"
    tell(db, run, "JOB_HOT_UPDATED", message, now=now)


def _failed(db: Connection, one: Rescale, run: Run | None, reason: str, *, now: int) -> None:
    rescales.change(db, one.id, {"state": FAILED, "failure": settle.failure(reason, "", now=now)}, now=now)
    if run is not None:
        message = f"the parallelism stays {one.former} instead of {one.parallelism}: {reason}"
        tell(db, run, "JOB_HOT_UPDATE_FAILED", message, now=now)


def _define(db: Connection, run_id: str, wanted: int, *, now: int) -> None:
    """Let a run's definition say what Flink was told; it is up to date if that is all it lacked."""
    run = runs.find(db, run_id)
    if run is None or parallelism(run.definition) == wanted:
        return
    runs.change(db, run, {"definition": put(run.definition, PARALLELISM, wanted)}, now=now)
    source = deployments.get(db, run.workspace, run.namespace, run.deployment_id)
    deployments.catch_up(db, source, now=now)
