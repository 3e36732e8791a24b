"""Opens the database, and hands out its transactions."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from flinkform.controlplane.store import migrate, sqlite
from flinkform.errors import Unavailable


class Store:
    """The database of one control plane; safe from many threads.

    `with store.write() as db:` is one transaction, undone when the block raises; every function of this
    package takes that *db* first. Writers of this process queue up, readers never wait for them. Keep
    both short, and call nothing slow inside. Times are milliseconds since the epoch, given by the caller.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = threading.Lock()

    @classmethod
    def open(cls, url: str) -> Self:
        """Bring the tables up to date and return the store; Unavailable when that fails, saying where and why."""
        if make_url(url).get_backend_name() == "sqlite":
            _private(make_url(url).database or "")
        engine = create_engine(url, pool_size=8, max_overflow=40)
        sqlite.prepare(engine)
        store = cls(engine)
        try:
            with store.write() as db:
                migrate.upgrade(db)
        except BaseException:
            engine.dispose()
            raise
        return store

    @classmethod
    def at(cls, home: Path) -> Self:
        """The store in a control plane's home folder, made if it is not there."""
        return cls.open(f"sqlite:///{home / 'controlplane.db'}")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """See one unchanging moment of the database; what is written here is lost."""
        with self._answering(), self._engine.connect() as db, db.begin() as transaction:
            yield db
            transaction.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Do all of the block or none of it; durable when the block is left."""
        with (
            self._answering(),
            self._writer,
            self._engine.connect().execution_options(**sqlite.WRITE) as db,
            db.begin(),
        ):
            yield db

    def close(self) -> None:
        """Give the files back; the store is not usable any more."""
        self._engine.dispose()

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Say in our words that the database cannot be used: its disk is full, its file is locked or broken."""
        try:
            yield
        except DBAPIError as error:
            if isinstance(error, OperationalError) or error.connection_invalidated:
                raise Unavailable(f"the database {self._engine.url!r} does not answer: {error.orig}") from error
            raise


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
