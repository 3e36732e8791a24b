"""Changes of a running job's parallelism, which the API calls hot updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from flinkform.controlplane.store.tables import rescales as table
from flinkform.errors import NotFound

GOING, DONE, FAILED = "HOT_UPDATING", "HOT_UPDATED", "HOT_UPDATE_FAILED"


@dataclass(frozen=True, slots=True)
class Rescale:
    """One change from *former* to *parallelism*; *step* is how far the reconciler got, as for a run.

    *tasks* is how many the job has once Flink took it up, 0 until Flink was asked.
    """

    id: str
    workspace: str
    namespace: str
    deployment_id: str
    run_id: str
    parallelism: int
    former: int
    tasks: int
    state: str
    step: str
    failure: Mapping[str, Any] | None
    created_at: int
    modified_at: int


def add(db: Connection, rescale: Rescale) -> None:
    db.execute(insert(table).values({name: getattr(rescale, name) for name in Rescale.__slots__}))


def get(db: Connection, workspace: str, namespace: str, rescale_id: str) -> Rescale:
    """NotFound: none of that id in that namespace."""
    query = select(table).where(table.c.workspace == workspace, table.c.namespace == namespace)
    row = db.execute(query.where(table.c.id == rescale_id)).mappings().first()
    if row is None:
        raise NotFound(f"no hot update {rescale_id} in namespace {namespace}")
    return _rescale(row)


def under_way(db: Connection, run_id: str | None = None) -> list[Rescale]:
    """The changes that the reconciler has to lead on, of all runs or of one."""
    query = select(table).where(table.c.state == GOING).order_by(table.c.created_at)
    if run_id is not None:
        query = query.where(table.c.run_id == run_id)
    return [_rescale(row) for row in db.execute(query).mappings()]


def change(db: Connection, rescale_id: str, values: Mapping[str, Any], *, now: int) -> None:
    db.execute(update(table).where(table.c.id == rescale_id).values(dict(values) | {"modified_at": now}))


def _rescale(row: RowMapping) -> Rescale:
    return Rescale(**row)
