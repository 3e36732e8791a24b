"""What only SQLite needs to be told; every other line of the store is for any database."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event

from flinkform.errors import Unavailable

READ: dict[str, Any] = {}
"""Execution options of a connection that only reads."""
WRITE: dict[str, Any] = {"writes": True}
"""Those of one that is about to write."""

# WAL lets readers go on beside the writer. FULL costs 0.5 ms a commit where NORMAL costs 0.04 ms, and is what keeps
# an answered request through a power cut: an intent must be on disk before Flink is called.
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA busy_timeout = 15000",
)


def engine(url: URL) -> Engine:
    """The engine for a file, which is made if it is not there. Unavailable: it cannot be."""
    _private(url.database or "")
    made = create_engine(url, pool_size=8, max_overflow=40, hide_parameters=True, json_deserializer=orjson.loads)
    event.listen(made, "connect", _connected)
    event.listen(made, "begin", _begun)
    return made


def check(_db: Connection) -> None:
    """Nothing that we write is too much for it."""


def _private(path: str) -> None:
    """Make the file before SQLite does: only its mode protects the access keys' secrets in it."""
    file = Path(path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise Unavailable(f"cannot write the database {path}: {error.strerror}") from error
    os.close(descriptor)


def _connected(connection: sqlite3.Connection, _record: object) -> None:
    # Python's driver would begin transactions by its own rules, and none before DDL.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begun(db: Connection) -> None:
    # A transaction that reads first and writes later cannot wait for another process' writer: it fails. Say so at once.
    writes = db.get_execution_options().get("writes", False)
    db.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
