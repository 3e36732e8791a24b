"""Temporary keys: whose they are, what they are limited to, and until when; nothing of their secrets is kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from flinkform.controlplane.store.tables import tokens as table
from flinkform.errors import NotFound


class Kind(StrEnum):
    """How a temporary key proves itself: it signs, with a security token, or is shown."""

    STS = "sts"
    BEARER = "bearer"


@dataclass(frozen=True, slots=True)
class Token:
    """A temporary key; *policies* narrow what its key may do, none leave it as it is."""

    id: str
    key_id: str
    kind: str
    description: str
    policies: list[dict[str, Any]] | None
    created_at: int
    expires_at: int


def add(db: Connection, token: Token) -> None:
    """Keep a token, and forget those that ended before it began."""
    db.execute(delete(table).where(table.c.expires_at < token.created_at))
    db.execute(insert(table).values(asdict(token)))


def find(db: Connection, token_id: str) -> Token | None:
    row = db.execute(select(table).where(table.c.id == token_id)).mappings().first()
    return None if row is None else Token(**row)


def every(db: Connection) -> list[Token]:
    """All tokens, oldest first."""
    return [Token(**row) for row in db.execute(select(table).order_by(table.c.created_at, table.c.id)).mappings()]


def remove(db: Connection, token_id: str) -> None:
    """NotFound: no such token."""
    if not db.execute(delete(table).where(table.c.id == token_id)).rowcount:
        raise NotFound(f"no token {token_id}")
