"""Workspaces as the console sees them: instances, and where each is on its way to what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from flinkform.controlplane.store import namespaces
from flinkform.controlplane.store.paging import Page, cut
from flinkform.controlplane.store.tables import instances as table
from flinkform.errors import Conflict, NotFound

MOVING = ("CREATING", "MODIFYING", "DELETING")
"""The states that the reconciler leads out of; RUNNING is where it leads to."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance; *document* is what the API was told, *workspace* what it calls ResourceId."""

    id: str
    workspace: str
    name: str
    region: str
    status: str
    since: int
    """When the status began."""
    created_at: int
    modified_at: int
    document: Mapping[str, Any]


def create(
    db: Connection, instance_id: str, *, workspace: str, name: str, region: str, document: Mapping[str, Any], now: int
) -> Instance:
    """Record an instance that is being made. Conflict: the id is taken."""
    if db.scalar(select(table.c.id).where((table.c.id == instance_id) | (table.c.workspace == workspace))):
        raise Conflict(f"instance {instance_id} exists already")
    made = Instance(instance_id, workspace, name, region, "CREATING", now, now, now, document)
    db.execute(insert(table).values(_values(made)))
    return made


def get(db: Connection, instance_id: str) -> Instance:
    row = db.execute(select(table).where(table.c.id == instance_id)).mappings().first()
    if row is None:
        raise NotFound(f"no instance {instance_id}")
    return _instance(row)


def by_workspace(db: Connection, workspace: str) -> Instance:
    """The instance whose ResourceId travels in the `workspace` header. NotFound."""
    row = db.execute(select(table).where(table.c.workspace == workspace)).mappings().first()
    if row is None:
        raise NotFound(
            f"no workspace {workspace}", advice="the header wants an instance's ResourceId, not its InstanceId"
        )
    return _instance(row)


def page(
    db: Connection,
    *,
    region: str | None = None,
    instance_id: str | None = None,
    name: str | None = None,
    offset: int = 0,
    limit: int = 10,
) -> Page[Instance]:
    """Instances, oldest first."""
    query = select(table).order_by(table.c.created_at, table.c.id)
    for column, wanted in ((table.c.region, region), (table.c.id, instance_id), (table.c.name, name)):
        if wanted is not None:
            query = query.where(column == wanted)
    rows = cut(db, query, offset=offset, limit=limit)
    return Page([_instance(row) for row in rows.items], rows.total)


def modify(db: Connection, instance_id: str, document: Mapping[str, Any], *, now: int) -> Instance:
    """Replace the document; the instance is MODIFYING until the reconciler says otherwise. Conflict: not RUNNING."""
    found = get(db, instance_id)
    if found.status != "RUNNING":
        raise Conflict(f"expected instance {instance_id} RUNNING, got {found.status}", advice="wait until it is")
    return _set(db, instance_id, {"document": dict(document), "status": "MODIFYING", "since": now, "modified_at": now})


def amend(db: Connection, instance_id: str, document: Mapping[str, Any], *, now: int) -> Instance:
    """Replace the document of an instance for a change that costs nothing, such as tags. NotFound."""
    get(db, instance_id)
    return _set(db, instance_id, {"document": dict(document), "modified_at": now})


def request_delete(db: Connection, instance_id: str, *, now: int) -> Instance:
    """Let the instance and its namespaces go. Conflict: a namespace still holds deployments."""
    found = get(db, instance_id)
    held = namespaces.occupied(db, found.workspace)
    if held:
        raise Conflict(
            f"instance {instance_id} still holds deployments in {', '.join(held)}", advice="delete them first"
        )
    return _set(db, instance_id, {"status": "DELETING", "since": now, "modified_at": now})


def moving(db: Connection) -> list[Instance]:
    """The instances the reconciler has to lead on."""
    return [_instance(row) for row in db.execute(select(table).where(table.c.status.in_(MOVING))).mappings()]


def settle(db: Connection, instance_id: str, status: str, *, now: int) -> None:
    db.execute(update(table).where(table.c.id == instance_id).values(status=status, since=now))


def remove(db: Connection, instance_id: str) -> None:
    """Forget an instance and its namespaces."""
    db.execute(delete(table).where(table.c.id == instance_id))


def _set(db: Connection, instance_id: str, values: Mapping[str, Any]) -> Instance:
    db.execute(update(table).where(table.c.id == instance_id).values(values))
    return get(db, instance_id)


def _values(instance: Instance) -> dict[str, Any]:
    return {name: getattr(instance, name) for name in Instance.__slots__} | {"document": dict(instance.document)}


def _instance(row: RowMapping) -> Instance:
    return Instance(**row)
