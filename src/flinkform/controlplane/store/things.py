"""Things that are only kept: one row each, whatever their type; what they mean is nobody's business here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, delete, insert, select, update

from flinkform.controlplane.store.paging import Page, cut
from flinkform.controlplane.store.tables import things as table
from flinkform.errors import Conflict, NotFound

_IDS = (
    select(table.c.id)
    .where(*(table.c[name] == bindparam(name) for name in ("type", "workspace", "namespace")))
    .order_by(table.c.created_at, table.c.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One of a *type* in a namespace; *name* is what no two of them share, *secret* is sealed."""

    type: str
    workspace: str
    namespace: str
    id: str
    name: str
    creator: str
    modifier: str
    created_at: int
    modified_at: int
    document: Mapping[str, Any]
    secret: bytes | None = field(default=None, repr=False)


def create(db: Connection, made: Thing) -> Thing:
    """Keep a new thing. Conflict: its namespace has one of that id or name."""
    other = made.id if find(db, made.type, made.workspace, made.namespace, made.id) else _namesake(db, made)
    if other is not None:
        raise _taken(made, other)
    db.execute(insert(table).values({column.name: getattr(made, column.name) for column in table.columns}))
    return made


def find(db: Connection, type_: str, workspace: str, namespace: str, thing_id: str) -> Thing | None:
    row = db.execute(select(table).where(_key(type_, workspace, namespace, thing_id))).mappings().first()
    return None if row is None else _thing(row)


def get(db: Connection, type_: str, workspace: str, namespace: str, thing_id: str) -> Thing:
    """Return the thing of that id. NotFound."""
    found = find(db, type_, workspace, namespace, thing_id)
    if found is None:
        raise NotFound(f"no {type_.replace('_', ' ')} {thing_id[:80]} in namespace {namespace}")
    return found


def ids(db: Connection, type_: str, workspace: str, namespace: str) -> list[str]:
    """Return the ids of all things of a type in a namespace, oldest first."""
    return list(db.scalars(_IDS, {"type": type_, "workspace": workspace, "namespace": namespace}))


def page(
    db: Connection,
    type_: str,
    workspace: str,
    namespace: str,
    *,
    wanted: Mapping[str, str] | None = None,
    offset: int = 0,
    limit: int,
) -> Page[Thing]:
    """Return some things of a namespace, oldest first; *wanted* are fields of the document and their values."""
    query = select(table).where(_place(type_, workspace, namespace)).order_by(table.c.created_at, table.c.id)
    for name, value in (wanted or {}).items():
        query = query.where(table.c.document[name].as_string() == value)
    rows = cut(db, query, offset=offset, limit=limit)
    return Page([_thing(row) for row in rows.items], rows.total)


def replace(db: Connection, changed: Thing) -> Thing:
    """Keep a thing as it is now. Conflict: another one of its namespace has its name."""
    other = _namesake(db, changed)
    if other not in (None, changed.id):
        raise _taken(changed, str(other))
    values = {name: getattr(changed, name) for name in ("name", "modifier", "modified_at", "document", "secret")}
    db.execute(update(table).where(_key(changed.type, changed.workspace, changed.namespace, changed.id)).values(values))
    return changed


def remove(db: Connection, found: Thing) -> None:
    db.execute(delete(table).where(_key(found.type, found.workspace, found.namespace, found.id)))


def _namesake(db: Connection, one: Thing) -> str | None:
    """Return the id of what has this name already."""
    place = _place(one.type, one.workspace, one.namespace)
    return db.scalar(select(table.c.id).where(place & (table.c.name == one.name)))


def _taken(one: Thing, other: str) -> Conflict:
    return Conflict(f"a {one.type.replace('_', ' ')} like that exists already: {other}", advice="choose another name")


def _place(type_: str, workspace: str, namespace: str) -> ColumnElement[bool]:
    return (table.c.type == type_) & (table.c.workspace == workspace) & (table.c.namespace == namespace)


def _key(type_: str, workspace: str, namespace: str, thing_id: str) -> ColumnElement[bool]:
    return _place(type_, workspace, namespace) & (table.c.id == thing_id)


def _thing(row: RowMapping) -> Thing:
    return Thing(**{**row, "secret": row["secret"] and bytes(row["secret"])})
