"""Savepoints: those that people ask for and those that stop a job; they outlive both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, func, insert, select, update

from flinkform.controlplane.store.paging import Page, cut
from flinkform.controlplane.store.tables import runs
from flinkform.controlplane.store.tables import savepoints as table
from flinkform.errors import Conflict, NotFound

BY_USER = "USER_REQUEST"
BY_STOP = "STOP_WITH_SAVEPOINT"
ENDED = ("COMPLETED", "FAILED")
PARKED = "RETAINED_CHECKPOINT"
"""Taken when the control plane ends, for jobs that shall go on at its next start; replaced by the next such one."""


@dataclass(frozen=True, slots=True)
class Savepoint:
    """One savepoint: STARTED, COMPLETED, FAILED or DELETING (hidden; its files are being removed).

    *step* is how far the reconciler got, as for a run; *trigger* is Flink's name for the request, known to the
    runtime's life *home* alone.
    """

    id: str
    workspace: str
    namespace: str
    deployment_id: str
    run_id: str
    origin: str
    stop: bool
    drain: bool
    native: bool
    description: str
    state: str
    step: str
    trigger: str | None
    home: str | None
    location: str | None
    failure: Mapping[str, Any] | None
    created_at: int
    modified_at: int

    @property
    def folder(self) -> str:
        """Where it goes below the savepoints' root: its own folder, so that it is found even if the answer is lost."""
        return f"{self.deployment_id}/{self.id}"


_COLUMNS = tuple(table.c[name] for name in Savepoint.__slots__)


def add(db: Connection, savepoint: Savepoint) -> None:
    db.execute(insert(table).values({name: getattr(savepoint, name) for name in Savepoint.__slots__}))


def get(db: Connection, workspace: str, namespace: str, savepoint_id: str) -> Savepoint:
    """NotFound: none of that id in that namespace."""
    query = select(*_COLUMNS).where(
        table.c.workspace == workspace, table.c.namespace == namespace, table.c.id == savepoint_id
    )
    row = db.execute(query.where(table.c.state != "DELETING")).mappings().first()
    if row is None:
        raise NotFound(f"no savepoint {savepoint_id} in namespace {namespace}")
    return _savepoint(row)


def find(db: Connection, savepoint_id: str) -> Savepoint | None:
    row = db.execute(select(*_COLUMNS).where(table.c.id == savepoint_id)).mappings().first()
    return None if row is None else _savepoint(row)


def at(db: Connection, location: str) -> Savepoint | None:
    """The savepoint at a place, however that is written; one that is being deleted, too."""
    path = unquote(location.removeprefix("file:").rstrip("/"))
    path = "/" + path.lstrip("/") if location.startswith(("/", "file:")) else path
    spelled = {location, path, *(f"file:{slashes}{form}" for slashes in ("", "//") for form in (path, quote(path)))}
    row = db.execute(select(*_COLUMNS).where(table.c.location.in_(spelled))).mappings().first()
    return None if row is None else _savepoint(row)


def page(
    db: Connection,
    workspace: str,
    namespace: str,
    *,
    deployment_id: str | None = None,
    run_id: str | None = None,
    offset: int = 0,
    limit: int = 10,
) -> Page[Savepoint]:
    """Savepoints of a namespace, newest first."""
    query = select(*_COLUMNS).where(table.c.workspace == workspace, table.c.namespace == namespace)
    query = query.where(table.c.state != "DELETING").order_by(table.c.created_at.desc(), table.c.id)
    if deployment_id is not None:
        query = query.where(table.c.deployment_id == deployment_id)
    if run_id is not None:
        query = query.where(table.c.run_id == run_id)
    rows = cut(db, query, offset=offset, limit=limit)
    return Page([_savepoint(row) for row in rows.items], rows.total)


def completed(db: Connection, deployment_id: str) -> list[Savepoint]:
    """A deployment's savepoints that can be started from, newest first."""
    query = select(*_COLUMNS).where(table.c.deployment_id == deployment_id, table.c.state == "COMPLETED")
    return [_savepoint(row) for row in db.execute(query.order_by(table.c.created_at.desc(), table.c.id)).mappings()]


def unasked(db: Connection, deployment_id: str) -> list[Savepoint]:
    """A deployment's savepoints that are done, well or not, and that no person asked for."""
    query = select(*_COLUMNS).where(table.c.deployment_id == deployment_id, table.c.origin != BY_USER)
    return [_savepoint(row) for row in db.execute(query.where(table.c.state.in_(ENDED))).mappings()]


def under_way(db: Connection) -> list[Savepoint]:
    """The savepoints the reconciler has to lead on."""
    return [
        _savepoint(row)
        for row in db.execute(select(*_COLUMNS).where(table.c.state.in_(("STARTED", "DELETING")))).mappings()
    ]


def by_place(db: Connection, places: Sequence[str]) -> dict[str, Savepoint]:
    """The savepoints at some places, as they were written down."""
    query = select(*_COLUMNS).where(table.c.location.in_(places))
    return {row["location"]: _savepoint(row) for row in db.execute(query).mappings()}


def left(db: Connection, run_ids: Sequence[str]) -> dict[str, Savepoint]:
    """The savepoint that each run ended with, by run id."""
    query = select(*_COLUMNS).where(table.c.run_id.in_(run_ids), table.c.stop, table.c.state == "COMPLETED")
    return {row["run_id"]: _savepoint(row) for row in db.execute(query.order_by(table.c.created_at)).mappings()}


def of_stops(db: Connection, run_ids: Sequence[str]) -> dict[str, Savepoint]:
    """The savepoint that each run's newest stop waits for, by run id."""
    if not run_ids:
        return {}  # the reconciler asks often, and mostly for none
    query = select(*_COLUMNS).where(table.c.run_id.in_(run_ids), table.c.origin == BY_STOP).order_by(table.c.created_at)
    return {row["run_id"]: _savepoint(row) for row in db.execute(query).mappings()}


def change(db: Connection, savepoint_id: str, values: Mapping[str, Any], *, now: int) -> None:
    db.execute(update(table).where(table.c.id == savepoint_id).values(dict(values) | {"modified_at": now}))


def request_delete(db: Connection, found: Savepoint, *, now: int) -> None:
    """Hide a savepoint at once, and let the reconciler remove its files. Conflict: it is still being taken."""
    if found.state == "STARTED":
        raise Conflict(f"savepoint {found.id} is being taken", advice="wait until it is done")
    change(db, found.id, {"state": "DELETING"}, now=now)


def plan(db: Connection, savepoint: Savepoint) -> str | None:
    """The compiled plan of the run that a savepoint is of, also when that run is gone; None if it had none."""
    either = func.coalesce(runs.c.plan, table.c.plan)
    query = select(either).select_from(table.outerjoin(runs, runs.c.id == table.c.run_id))
    found: str | None = db.scalar(query.where(table.c.id == savepoint.id))
    return found


def inherit(db: Connection, gone: ColumnElement[bool]) -> None:
    """Hand the plans of runs that are about to go to their savepoints, which need them as long as they are there."""
    plan_of = select(runs.c.plan).where(runs.c.id == table.c.run_id).scalar_subquery()
    db.execute(update(table).where(table.c.run_id.in_(select(runs.c.id).where(gone))).values(plan=plan_of))


def remove(db: Connection, savepoint_id: str) -> None:
    db.execute(delete(table).where(table.c.id == savepoint_id))


def _savepoint(row: RowMapping) -> Savepoint:
    return Savepoint(**row)
