"""Who of several control planes on one database leads: looks at Flink and acts on it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from flinkform.controlplane.store.tables import leases as table
from flinkform.errors import Conflict

_NAME = "reconciler"


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease, held until *expires_at* in the database's time; each taking of it has a higher *term*.

    *home* names the folder of who holds it: whoever has that folder knows that the former holder is dead.
    """

    name: str
    term: int
    home: str
    endpoint: str
    expires_at: int


def clock(db: Connection) -> int:
    """Milliseconds by the one clock that all control planes can see."""
    if db.dialect.name != "postgresql":
        return time.time_ns() // 1_000_000
    return int((db.scalar(select(func.extract("epoch", func.clock_timestamp()))) or 0) * 1000)


def find(db: Connection) -> Lease | None:
    row = db.execute(select(table).where(table.c.name == _NAME)).mappings().first()
    return None if row is None else Lease(**row)


def free(held: Lease | None, home: str, *, now: int) -> bool:
    """Whether somebody with that *home* may take the lease."""
    return held is None or held.home == home or held.expires_at <= now


def take(db: Connection, home: str, endpoint: str, *, milliseconds: int, now: int) -> Lease | None:
    """Take the lease; None while somebody else holds it."""
    held = find(db)
    if not free(held, home, now=now):
        return None
    values = {"home": home, "endpoint": endpoint, "expires_at": now + milliseconds}
    if held is None:
        db.execute(insert(table).values(name=_NAME, term=1, **values))
    else:
        db.execute(update(table).where(table.c.name == _NAME).values(term=held.term + 1, **values))
    return find(db)


def keep(db: Connection, lease: Lease, *, milliseconds: int, now: int) -> None:
    """Hold the lease for longer; Conflict: it is somebody else's by now, or it has ended."""
    check(db, lease, now=now)
    db.execute(update(table).where(table.c.name == _NAME).values(expires_at=now + milliseconds))


def check(db: Connection, lease: Lease, *, now: int) -> None:
    """Conflict: the lease is not held any more, so that nothing may be done in its name."""
    held = find(db)
    if held is None or held.term != lease.term or held.expires_at <= now:
        raise Conflict("this control plane does not lead any more: another one has taken over, or may do so now")


def release(db: Connection, lease: Lease) -> None:
    """Let others have it at once; harmless if they have it already."""
    db.execute(update(table).where(table.c.name == _NAME, table.c.term == lease.term).values(expires_at=0))
