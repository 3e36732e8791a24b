"""Finds the state that a run begins from."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection

from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.store import runs, savepoints
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.errors import Conflict, Invalid
from flinkform.flink import checkpoints


def requested(db: Connection, bench: Bench, run: Run) -> str | None:
    """The place that a run's restoreStrategy means now; None starts with nothing.

    Conflict: the savepoint it names or needs is not there. LATEST_STATE of a deployment that has none starts
    with nothing, and so does batch.
    """
    kind = run.restore.get("kind") or "NONE"
    if kind == "NONE" or run.batch:
        return None
    if kind == "FROM_SAVEPOINT":
        return _named(db, run)
    if kind == "LATEST_SAVEPOINT":
        found = savepoints.completed(db, run.deployment_id)
        if not found:
            raise Conflict(f"{run.name} has no completed savepoint to start from", advice="start it with another state")
        return _place(found[0])
    if kind == "LATEST_STATE":
        return latest(db, bench, run.deployment_id, before=run.seq)
    raise Invalid(
        f"expected NONE, LATEST_SAVEPOINT, FROM_SAVEPOINT or LATEST_STATE, got {kind}", at=("restoreStrategy", "kind")
    )


def again(db: Connection, bench: Bench, run: Run) -> str | None:
    """The place from which a run goes on that was cut off: its newest state, else where it began."""
    return own(db, bench, run) or run.restored_from


def latest(db: Connection, bench: Bench, deployment_id: str, *, before: int) -> str | None:
    """The newest state of the newest run that got anywhere, of those that came before number *before*.

    One that ran but kept nothing itself stands where it began: its state did not move. Older runs are not
    asked then, for a run that began with nothing was meant to forget them.
    """
    for former in runs.history(db, deployment_id, before=before):
        if place := own(db, bench, former):
            return place
        if former.restored_from and checkpoints.exists(former.restored_from):
            return former.restored_from
        if former.started_at is not None:
            return None
    found = savepoints.completed(db, deployment_id)
    return _place(found[0]) if found else None


def own(db: Connection, bench: Bench, run: Run) -> str | None:
    """The newest checkpoint or savepoint that a run made itself."""
    made = [one.location for one in savepoints.completed(db, run.deployment_id) if one.run_id == run.id]
    kept = [checkpoints.newest(place, run.job_id) for place in bench.own(run)]
    found = [place for place in (*made, *kept) if place and checkpoints.exists(place)]
    return max(found, key=checkpoints.completed_at) if found else None


def _named(db: Connection, run: Run) -> str:
    """The place of the savepoint that a start names, by its id or by the place itself."""
    name, home = str(run.restore.get("savepointId") or ""), (run.workspace, run.namespace)
    found = savepoints.at(db, name) if "/" in name else savepoints.find(db, name)
    if found and found.state == "COMPLETED" and (found.workspace, found.namespace) == home:
        return _place(found)
    if found is None and "/" in name and _open_to(db, name, home) and checkpoints.exists(name):
        return checkpoints.uri(name)
    raise Conflict(
        f"expected the id or the path of a completed savepoint in this namespace, got {name}",
        advice="list the savepoints, or name the folder that holds _metadata",
    )


def _open_to(db: Connection, place: str, home: tuple[str, str]) -> bool:
    """Whether a place is no checkpoint of another namespace's job."""
    job = checkpoints.job(place)
    run = runs.find(db, str(uuid.UUID(job))) if job else None
    return run is None or (run.workspace, run.namespace) == home


def _place(savepoint: Savepoint) -> str:
    place = savepoint.location or ""
    if not checkpoints.exists(place):
        raise Conflict(f"savepoint {savepoint.id} has no files at {place}", advice="start from another state")
    return place
