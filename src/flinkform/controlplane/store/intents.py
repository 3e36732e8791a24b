"""What people ask of runs: start, stop, a savepoint. Asking only writes it down; the reconciler does it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.store import events, rescales, runs, savepoints
from flinkform.controlplane.store.deployments import Deployment
from flinkform.controlplane.store.rescales import Rescale
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import BY_STOP, BY_USER, Savepoint
from flinkform.errors import Conflict


def start(
    db: Connection,
    source: Deployment,
    *,
    restore: Mapping[str, Any],
    creator: str,
    now: int,
    changes: Mapping[str, Any] | None = None,
    who: str = "",
) -> Run:
    """Ask for a run of a deployment; *changes* replace parts of its definition for this run alone.

    *restore* is the API's restoreStrategy, *who* the creator with its request, for the event. Conflict: the deployment
    streams and has a run that has not ended.
    """
    live = runs.live_of(db, source.id)
    if live and not source.batch:
        raise Conflict(f"deployment {source.name} already has job {live[0].id}, which is {live[0].state}")
    # A job that was sent to a JVM of its own is not let near the others by a mere restart.
    former = runs.page(db, source.id, limit=1).items
    troubles = {name: kept for run in former for name, kept in run.troubles.items() if name == "alone"}
    run = _new(source, runs.next_number(db, source.id), restore, creator, now, changes or {}, troubles)
    runs.add(db, run)
    what = f"{who or creator} asked for a start, restoring {restore.get('kind', 'NONE')}"
    tell(db, run, "JOB_START_REQUESTED", what, now=now)
    return run


def stop(db: Connection, run: Run, strategy: str, *, creator: str, now: int) -> Run:
    """Ask for the end of a run by NONE, STOP_WITH_SAVEPOINT or STOP_WITH_DRAIN. Conflict: it has ended.

    Asking twice is one stop. NONE overrides a stop that waits for its savepoint; nothing else overrides a stop.
    """
    if not run.live:
        raise Conflict(f"job {run.id} is {run.state} already")
    if run.intent == "STOP" and (strategy != "NONE" or run.strategy == "NONE"):
        return run
    values = {"intent": "STOP", "strategy": strategy, "step": "NEW", "state": "CANCELLING"}
    changed = runs.change(db, run, values, now=now)
    if changed is None:
        raise Conflict(f"job {run.id} changed meanwhile", advice="ask again")
    if strategy != "NONE":
        savepoints.add(db, taken(run, BY_STOP, now, drain=strategy == "STOP_WITH_DRAIN"))
    tell(db, run, "JOB_STOP_REQUESTED", f"{creator} asked for a stop by {strategy}", now=now)
    return changed


def savepoint(
    db: Connection, run: Run, *, creator: str, now: int, native: bool = False, description: str = ""
) -> Savepoint:
    """Ask for a savepoint of a run that goes on. Conflict: it is not RUNNING."""
    if run.state != "RUNNING":
        raise Conflict(f"expected job {run.id} RUNNING, got {run.state}", advice="a savepoint needs a running job")
    made = taken(run, BY_USER, now, native=native, description=description)
    savepoints.add(db, made)
    tell(db, run, "SAVEPOINT_REQUESTED", f"{creator} asked for savepoint {made.id}", now=now)
    return made


def rescale(db: Connection, run: Run, wanted: int, *, creator: str, now: int) -> Rescale:
    """Ask for another parallelism of a run that goes on. Conflict: it is not RUNNING, or is being changed already."""
    if run.state != "RUNNING" or run.intent != "RUN":
        raise Conflict(f"expected job {run.id} RUNNING, got {run.state}", advice="a hot update needs a running job")
    if rescales.under_way(db, run.id):
        raise Conflict(f"the parallelism of job {run.id} is being changed already", advice="wait until that is done")
    former = runs.parallelism(run.definition)
    made = Rescale(
        id=str(uuid.uuid4()),
        workspace=run.workspace,
        namespace=run.namespace,
        deployment_id=run.deployment_id,
        run_id=run.id,
        parallelism=wanted,
        former=former,
        tasks=0,
        state=rescales.GOING,
        step="NEW",
        failure=None,
        created_at=now,
        modified_at=now,
    )
    rescales.add(db, made)
    tell(db, run, "HOT_UPDATE_REQUESTED", f"{creator} asked for parallelism {wanted} instead of {former}", now=now)
    return made


def tell(db: Connection, run: Run, name: str, message: str, *, now: int) -> None:
    """Record an event of a run."""
    events.record(
        db,
        name,
        message,
        workspace=run.workspace,
        namespace=run.namespace,
        deployment_id=run.deployment_id,
        run_id=run.id,
        now=now,
    )


def _new(
    source: Deployment,
    seq: int,
    restore: Mapping[str, Any],
    creator: str,
    now: int,
    changes: Mapping[str, Any],
    troubles: Mapping[str, Any],
) -> Run:
    return Run(
        id=str(uuid.uuid4()),
        seq=seq,
        workspace=source.workspace,
        namespace=source.namespace,
        deployment_id=source.id,
        revision=source.revision,
        name=source.name,
        batch=source.batch,
        creator=creator,
        created_at=now,
        modified_at=now,
        definition={**source.document, **changes},
        restore=dict(restore),
        restored_from=None,
        began_from=None,
        intent="RUN",
        strategy="NONE",
        step="NEW",
        home=None,
        retries=0,
        state="STARTING",
        started_at=None,
        ended_at=None,
        failure=None,
        troubles=troubles,
        version=1,
    )


def taken(
    run: Run, origin: str, now: int, *, drain: bool = False, native: bool = False, description: str = ""
) -> Savepoint:
    """A savepoint that is still to be taken."""
    return Savepoint(
        id=str(uuid.uuid4()),
        workspace=run.workspace,
        namespace=run.namespace,
        deployment_id=run.deployment_id,
        run_id=run.id,
        origin=origin,
        stop=origin != BY_USER,
        drain=drain,
        native=native,
        description=description,
        state="STARTED",
        step="NEW",
        trigger=None,
        home=None,
        location=None,
        failure=None,
        created_at=now,
        modified_at=now,
    )
