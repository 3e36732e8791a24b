"""Signature nonces seen lately, so that a recorded request cannot be sent again."""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, Text, bindparam, delete, exists, insert, select

from flinkform.controlplane.store.tables import nonces as table

_KEY, _NONCE, _SEEN = bindparam("key", type_=Text), bindparam("used", type_=Text), bindparam("seen", type_=BigInteger)
_USED = exists().where(table.c.key_id == _KEY, table.c.nonce == _NONCE)
_ADD = insert(table).from_select(["key_id", "nonce", "seen_at"], select(_KEY, _NONCE, _SEEN).where(~_USED))
_ADD = _ADD.execution_options(preserve_rowcount=True)


def fresh(db: Connection, key_id: str, nonce: str, *, now: int) -> bool:
    """Note a nonce; False if this key used it before. Writers queue up, so nobody adds one in between."""
    return bool(db.execute(_ADD, {"key": key_id, "used": nonce, "seen": now}).rowcount)


def prune(db: Connection, *, before: int) -> None:
    """Forget those seen earlier than *before*: signatures of that age are refused by their date."""
    db.execute(delete(table).where(table.c.seen_at < before))
