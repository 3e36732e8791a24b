"""Access keys of the API; their secrets are sealed by who hands them over, and never printed or logged here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from flinkform.controlplane.store.tables import keys as table
from flinkform.errors import Conflict, NotFound

_FIND = select(table).where(table.c.id == bindparam("key"))


@dataclass(frozen=True, slots=True)
class Key:
    """One access key; its secret stays out of its repr. Without *policies* it may do everything."""

    id: str
    secret: str = field(repr=False)
    description: str
    created_at: int
    policies: list[dict[str, Any]] | None = None


def add(
    db: Connection,
    key_id: str,
    secret: str,
    *,
    description: str = "",
    policies: list[dict[str, Any]] | None = None,
    now: int,
) -> Key:
    """Keep a key. Conflict: the id is taken."""
    if find(db, key_id) is not None:
        raise Conflict(f"access key {key_id} exists already")
    made = Key(key_id, secret, description, now, policies)
    db.execute(insert(table).values(asdict(made)))
    return made


def find(db: Connection, key_id: str) -> Key | None:
    row = db.execute(_FIND, {"key": key_id}).mappings().first()
    return None if row is None else Key(**row)


def reseal(db: Connection, key_id: str, secret: str) -> None:
    """Keep a key's secret in another form."""
    db.execute(update(table).where(table.c.id == key_id).values(secret=secret))


def every(db: Connection) -> list[Key]:
    """All keys, oldest first."""
    return [Key(**row) for row in db.execute(select(table).order_by(table.c.created_at, table.c.id)).mappings()]


def remove(db: Connection, key_id: str) -> None:
    """NotFound: no such key."""
    if not db.execute(delete(table).where(table.c.id == key_id)).rowcount:
        raise NotFound(f"no access key {key_id}")
