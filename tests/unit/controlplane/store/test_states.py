"""Terraform states: versions, and locks that hold."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection

from flinkform.controlplane.store import states
from flinkform.errors import Conflict, NotFound

pytestmark = pytest.mark.both


def write(db: Connection, content: bytes = b"{}", **more: Any) -> states.Version:
    return states.write(db, "dev/bids", content, serial=len(content), lineage="l", now=1, **more)


def test_versions_are_kept(db: Connection) -> None:
    """Every write is a version that can be read again; the newest is the state."""
    first, second = write(db, b'{"a": 1}'), write(db, b'{"a": 22}')
    assert states.read(db, "dev/bids") == b'{"a": 22}'
    assert states.read(db, "dev/bids", number=first.number) == b'{"a": 1}'
    assert states.versions(db, "dev/bids") == [second, first]
    assert states.every(db) == [second]
    assert states.read(db, "dev/other") is None


def test_old_versions_go(db: Connection) -> None:
    """Only so many versions are kept of each state."""
    for _ in range(5):
        write(db, kept=3)
    assert [one.number for one in states.versions(db, "dev/bids")] == [5, 4, 3]


def test_a_lock_holds(db: Connection) -> None:
    """Who does not hold the lock can neither lock, write nor remove, and is told who does."""
    states.lock(db, "dev/bids", "1", {"Who": "ann@desk"}, now=1)
    with pytest.raises(Conflict, match=r"locked by ann@desk \(lock 1\)"):
        states.lock(db, "dev/bids", "2", {}, now=1)
    for lock_id in ({}, {"lock_id": "2"}):
        with pytest.raises(Conflict, match="ann@desk"):
            write(db, **lock_id)
    with pytest.raises(Conflict):
        states.remove(db, "dev/bids")
    with pytest.raises(Conflict):
        states.unlock(db, "dev/bids", "2")
    assert states.lock(db, "dev/bids", "1", {}, now=2).created_at == 2  # whoever takes it again renews it
    write(db, lock_id="1")
    states.unlock(db, "dev/bids", "1")
    write(db)
    states.remove(db, "dev/bids")
    assert states.versions(db, "dev/bids") == []


def test_a_lock_can_be_broken(db: Connection) -> None:
    """A dead holder's lock is broken by force, once."""
    states.lock(db, "dev/bids", "1", {}, now=1)
    states.unlock(db, "dev/bids", None)
    assert states.lock_of(db, "dev/bids") is None
    with pytest.raises(NotFound, match="state dev/bids is not locked"):
        states.unlock(db, "dev/bids", None)
