"""Terraform states of the http backend: versions of each, and who holds its lock."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from flinkform.controlplane.store.tables import locks
from flinkform.controlplane.store.tables import states as table
from flinkform.errors import Conflict, NotFound

KEPT = 100
"""Versions kept of each state, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a state; *number* counts writes at its address, *serial* and *lineage* are Terraform's."""

    address: str
    number: int
    serial: int
    lineage: str
    md5: str
    size: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Lock:
    """A held lock; *document* is what Terraform sent (ID, Operation, Who, …)."""

    address: str
    id: str
    created_at: int
    document: Mapping[str, Any]


def read(db: Connection, address: str, *, number: int | None = None) -> bytes | None:
    """The content of a state, or of one version of it; None when there is none."""
    query = select(table.c.content).where(table.c.address == address).order_by(table.c.number.desc()).limit(1)
    if number is not None:
        query = query.where(table.c.number == number)
    content = db.scalar(query)
    return None if content is None else zlib.decompress(content)


def write(  # noqa: PLR0913  each is a column or a rule
    db: Connection,
    address: str,
    content: bytes,
    *,
    serial: int,
    lineage: str,
    now: int,
    lock_id: str | None = None,
    kept: int = KEPT,
) -> Version:
    """Add a version, and drop those older than the newest *kept*.

    Conflict: somebody else holds the lock (or *lock_id* is not the one held).
    """
    held = lock_of(db, address)
    if held is not None and held.id != lock_id:
        raise Conflict(f"state {address} is locked by {_who(held)}", advice=_ADVICE)
    last = db.scalar(select(func.max(table.c.number)).where(table.c.address == address)) or 0
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    made = Version(address, last + 1, serial, lineage, digest, len(content), now)
    values = {name: getattr(made, name) for name in Version.__slots__}
    db.execute(insert(table).values(values | {"content": zlib.compress(content, 1)}))
    db.execute(delete(table).where(table.c.address == address, table.c.number <= made.number - kept))
    return made


def remove(db: Connection, address: str, *, lock_id: str | None = None) -> None:
    """Forget a state and its versions; harmless when there is none. Conflict: somebody else holds the lock."""
    held = lock_of(db, address)
    if held is not None and held.id != lock_id:
        raise Conflict(f"state {address} is locked by {_who(held)}", advice=_ADVICE)
    db.execute(delete(table).where(table.c.address == address))


def versions(db: Connection, address: str) -> list[Version]:
    """What is kept of a state, newest first, without the contents."""
    query = _bare().where(table.c.address == address).order_by(table.c.number.desc())
    return [Version(**row) for row in db.execute(query).mappings()]


def every(db: Connection) -> list[Version]:
    """The newest version of each state, by address."""
    top = select(table.c.address, func.max(table.c.number).label("number")).group_by(table.c.address).subquery()
    query = _bare().join(top, (top.c.address == table.c.address) & (top.c.number == table.c.number))
    return [Version(**row) for row in db.execute(query.order_by(table.c.address)).mappings()]


def lock(db: Connection, address: str, lock_id: str, document: Mapping[str, Any], *, now: int) -> Lock:
    """Take the lock; who takes his own again renews it. Conflict: somebody else holds it (ask `lock_of` who)."""
    held = lock_of(db, address)
    if held is not None:
        if held.id == lock_id:
            db.execute(update(locks).where(locks.c.address == address).values(created_at=now))
            return replace(held, created_at=now)
        raise Conflict(f"state {address} is locked by {_who(held)}", advice=_ADVICE)
    db.execute(insert(locks).values(address=address, id=lock_id, created_at=now, document=dict(document)))
    return Lock(address, lock_id, now, document)


def unlock(db: Connection, address: str, lock_id: str | None) -> None:
    """Give the lock back; None breaks whatever lock there is. NotFound: no lock; Conflict: somebody else's."""
    held = lock_of(db, address)
    if held is None:
        raise NotFound(f"state {address} is not locked")
    if lock_id is not None and held.id != lock_id:
        raise Conflict(f"state {address} is locked by {_who(held)}", advice=_ADVICE)
    db.execute(delete(locks).where(locks.c.address == address))


def lock_of(db: Connection, address: str) -> Lock | None:
    row = db.execute(select(locks).where(locks.c.address == address)).mappings().first()
    return None if row is None else Lock(**row)


def locked(db: Connection) -> list[Lock]:
    """Every held lock, by address; also of states that nobody has written yet."""
    return [Lock(**row) for row in db.execute(select(locks).order_by(locks.c.address)).mappings()]


def _bare() -> Any:
    return select(*(table.c[name] for name in Version.__slots__))


_ADVICE = "wait for it, or run flinkform state unlock if it is dead"


def _who(held: Lock) -> str:
    return f"{held.document.get('Who') or 'someone'} (lock {held.id})"
