"""What happened to deployments and their runs: every transition, and everything a person asked for."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from flinkform.controlplane.store.paging import Page, cut
from flinkform.controlplane.store.tables import deployments
from flinkform.controlplane.store.tables import events as table

KEPT = 1000
"""Events kept for each deployment; older ones go."""

_ADD = insert(table)

HANDED = ("JOB_SUBMITTED", "JOB_RECOVERED", "JOB_REPAIRED")
"""The events that tell how a run was handed to Flink."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event; *run_id* is empty when it is about the deployment itself."""

    seq: int
    id: str
    workspace: str
    namespace: str
    deployment_id: str
    run_id: str
    name: str
    message: str
    created_at: int


def record(  # noqa: PLR0913  each is a column
    db: Connection,
    name: str,
    message: str,
    *,
    workspace: str,
    namespace: str,
    deployment_id: str,
    run_id: str = "",
    now: int,
) -> None:
    """Write an event down, in the transaction of what it tells of."""
    values = {
        "id": str(uuid.uuid4()),
        "workspace": workspace,
        "namespace": namespace,
        "deployment_id": deployment_id,
        "run_id": run_id,
        "name": name,
        "message": message,
        "created_at": now,
    }
    db.execute(_ADD, values)


def page(  # noqa: PLR0913  each is a filter of GetEvents
    db: Connection,
    workspace: str,
    namespace: str,
    *,
    deployment_id: str | None = None,
    deployment_name: str | None = None,
    run_id: str | None = None,
    names: Sequence[str] = (),
    offset: int = 0,
    limit: int = 10,
) -> Page[Event]:
    """Events of a namespace, newest first."""
    query = select(table).where(table.c.workspace == workspace, table.c.namespace == namespace)
    if deployment_id is not None:
        query = query.where(table.c.deployment_id == deployment_id)
    if run_id is not None:
        query = query.where(table.c.run_id == run_id)
    if names:
        query = query.where(table.c.name.in_(names))
    if deployment_name is not None:
        named = select(deployments.c.id).where(
            deployments.c.workspace == workspace,
            deployments.c.namespace == namespace,
            deployments.c.name == deployment_name,
        )
        query = query.where(table.c.deployment_id.in_(named))
    rows = cut(db, query.order_by(table.c.seq.desc()), offset=offset, limit=limit)
    return Page([_event(row) for row in rows.items], rows.total)


def owners(db: Connection) -> dict[str, int]:
    """All deployments that ever were, by id, each with its newest event's number; it keeps some when it is gone."""
    query = select(table.c.deployment_id, func.max(table.c.seq)).where(table.c.deployment_id != "")
    return {row[0]: row[1] for row in db.execute(query.group_by(table.c.deployment_id))}


def prune(db: Connection, *, kept: int = KEPT) -> None:
    """Drop each deployment's oldest events beyond *kept*."""
    many = select(table.c.deployment_id).group_by(table.c.deployment_id).having(func.count() > kept)
    for deployment_id in list(db.scalars(many)):
        mine = table.c.deployment_id == deployment_id
        last = db.scalar(select(table.c.seq).where(mine).order_by(table.c.seq.desc()).offset(kept).limit(1))
        db.execute(delete(table).where(mine, table.c.seq <= last))


def _event(row: RowMapping) -> Event:
    return Event(**row)
