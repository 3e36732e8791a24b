"""Facts about this control plane itself, one value a name."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from flinkform.controlplane.store.tables import meta as table


def get(db: Connection, name: str) -> str | None:
    return db.scalar(select(table.c.value).where(table.c.name == name))


def put(db: Connection, name: str, value: str) -> None:
    db.execute(delete(table).where(table.c.name == name))
    db.execute(insert(table).values(name=name, value=value))
