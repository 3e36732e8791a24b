"""What only PostgreSQL needs to be told, so that it keeps the promises that SQLite keeps by itself."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import URL, Connection, Engine, create_engine, event

from flinkform.errors import Invalid, Missing

READ: dict[str, Any] = {"isolation_level": "REPEATABLE READ"}
"""Execution options of a connection that only reads: one moment, however many questions."""
WRITE: dict[str, Any] = {"writes": True}
"""Those of one that is about to write."""

# One writer at a time in all processes, as in SQLite: who reads before it writes need not fear what others write
# meanwhile. The number is ours and means nothing; the lock is the database's own and ends with the transaction.
_WRITER = 0x666C696E6B

# A server that is gone is noticed after half a minute, not after the two hours that TCP waits.
_CONNECTION: dict[str, Any] = {
    "application_name": "flinkform",
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
# A process that stands still in the midst of a transaction holds up all others' writes: it loses that transaction.
_SESSION = "SET lock_timeout = '15s'; SET idle_in_transaction_session_timeout = '30s'"


def engine(url: URL) -> Engine:
    """The engine for a server. Missing: its driver is not installed."""
    try:
        # Two control planes, and room for people, within the hundred connections that a server allows by default.
        made = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=8,
            max_overflow=32,
            pool_pre_ping=True,
            hide_parameters=True,
            json_deserializer=orjson.loads,
            connect_args=_CONNECTION,
        )
    except ModuleNotFoundError as error:
        raise Missing("PostgreSQL needs the package psycopg", advice="pip install 'psycopg[binary]>=3.2'") from error
    event.listen(made, "connect", _connected)
    event.listen(made, "begin", _begun)
    return made


def check(db: Connection) -> None:
    """Invalid: the database cannot hold every text."""
    encoding = db.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        advice = "make it with `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`"
        raise Invalid(f"expected a database in UTF8, got {encoding}", advice=advice)


def _connected(connection: Any, _record: object) -> None:
    connection.execute(_SESSION)
    connection.commit()


def _begun(db: Connection) -> None:
    if db.get_execution_options().get("writes", False):
        db.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")
