"""Signature nonces seen lately, so that a recorded request cannot be sent again."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert
from sqlalchemy.exc import IntegrityError

from flinkform.controlplane.store.tables import nonces as table


def fresh(db: Connection, key_id: str, nonce: str, *, now: int) -> bool:
    """Note a nonce; False if this key used it before."""
    try:
        with db.begin_nested():
            db.execute(insert(table).values(key_id=key_id, nonce=nonce, seen_at=now))
    except IntegrityError:
        return False
    return True


def prune(db: Connection, *, before: int) -> None:
    """Forget those seen earlier than *before*: signatures of that age are refused by their date."""
    db.execute(delete(table).where(table.c.seen_at < before))
