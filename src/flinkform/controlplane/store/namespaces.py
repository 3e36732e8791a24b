"""Namespaces of an instance, and where each is on its way to what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from flinkform.controlplane.store.paging import Page, cut
from flinkform.controlplane.store.tables import deployments, instances
from flinkform.controlplane.store.tables import namespaces as table
from flinkform.errors import Conflict, NotFound

MOVING = ("CREATING", "MODIFYING", "DELETING")
"""The states that the reconciler leads out of; SUCCESS is where it leads to."""

_WITHIN = select(table).where(table.c.workspace == bindparam("place"), table.c.name == bindparam("called"))


@dataclass(frozen=True, slots=True)
class Namespace:
    """One namespace; *workspace* is its instance's ResourceId."""

    instance_id: str
    name: str
    workspace: str
    status: str
    since: int
    """When the status began."""
    created_at: int
    modified_at: int
    document: Mapping[str, Any]


def create(db: Connection, instance_id: str, name: str, *, document: Mapping[str, Any], now: int) -> Namespace:
    """Record a namespace that is being made. NotFound: no such instance; Conflict: the name is taken."""
    workspace = db.scalar(select(instances.c.workspace).where(instances.c.id == instance_id))
    if workspace is None:
        raise NotFound(f"no instance {instance_id}")
    if db.scalar(select(table.c.name).where(_key(instance_id, name))):
        raise Conflict(f"namespace {name} exists already in instance {instance_id}")
    made = Namespace(instance_id, name, workspace, "CREATING", now, now, now, document)
    values = {field: getattr(made, field) for field in Namespace.__slots__}
    db.execute(insert(table).values(values | {"document": dict(document)}))
    return made


def get(db: Connection, instance_id: str, name: str) -> Namespace:
    row = db.execute(select(table).where(_key(instance_id, name))).mappings().first()
    if row is None:
        raise NotFound(f"no namespace {name} in instance {instance_id}")
    return _namespace(row)


def within(db: Connection, workspace: str, name: str) -> Namespace:
    """The namespace that deployments' operations mean: a `workspace` header and a name. NotFound."""
    row = db.execute(_WITHIN, {"place": workspace, "called": name}).mappings().first()
    if row is None:
        raise NotFound(f"no namespace {name} in workspace {workspace}")
    return _namespace(row)


def page(
    db: Connection, instance_id: str, *, name: str | None = None, offset: int = 0, limit: int = 10
) -> Page[Namespace]:
    """Namespaces of one instance, oldest first."""
    query = select(table).where(table.c.instance_id == instance_id).order_by(table.c.created_at, table.c.name)
    if name is not None:
        query = query.where(table.c.name == name)
    rows = cut(db, query, offset=offset, limit=limit)
    return Page([_namespace(row) for row in rows.items], rows.total)


def modify(db: Connection, instance_id: str, name: str, document: Mapping[str, Any], *, now: int) -> Namespace:
    """Replace the document; MODIFYING until the reconciler says otherwise. Conflict: not settled."""
    found = get(db, instance_id, name)
    if found.status != "SUCCESS":
        raise Conflict(f"expected namespace {name} in SUCCESS, got {found.status}", advice="wait until it is")
    return _set(db, found, {"document": dict(document), "status": "MODIFYING", "since": now, "modified_at": now})


def amend(db: Connection, instance_id: str, name: str, document: Mapping[str, Any], *, now: int) -> Namespace:
    """Replace the document for a change that costs nothing, such as tags. NotFound."""
    return _set(db, get(db, instance_id, name), {"document": dict(document), "modified_at": now})


def request_delete(db: Connection, instance_id: str, name: str, *, now: int) -> Namespace:
    """Let a namespace go. Conflict: it still holds deployments."""
    found = get(db, instance_id, name)
    if name in occupied(db, found.workspace):
        raise Conflict(f"namespace {name} still holds deployments", advice="delete them first")
    return _set(db, found, {"status": "DELETING", "since": now, "modified_at": now})


def occupied(db: Connection, workspace: str) -> list[str]:
    """The names of a workspace's namespaces that hold deployments."""
    query = select(deployments.c.namespace).where(deployments.c.workspace == workspace).distinct()
    return sorted(db.scalars(query))


def moving(db: Connection) -> list[Namespace]:
    """The namespaces the reconciler has to lead on."""
    return [_namespace(row) for row in db.execute(select(table).where(table.c.status.in_(MOVING))).mappings()]


def settle(db: Connection, instance_id: str, name: str, status: str, *, now: int) -> None:
    db.execute(update(table).where(_key(instance_id, name)).values(status=status, since=now))


def remove(db: Connection, instance_id: str, name: str) -> None:
    db.execute(delete(table).where(_key(instance_id, name)))


def _set(db: Connection, found: Namespace, values: Mapping[str, Any]) -> Namespace:
    db.execute(update(table).where(_key(found.instance_id, found.name)).values(values))
    return get(db, found.instance_id, found.name)


def _key(instance_id: str, name: str) -> Any:
    return (table.c.instance_id == instance_id) & (table.c.name == name)


def _namespace(row: RowMapping) -> Namespace:
    return Namespace(**row)
