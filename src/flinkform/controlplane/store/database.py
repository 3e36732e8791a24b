"""Opens the database, and hands out its transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Self

from sqlalchemy import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InternalError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as Queued

from flinkform.controlplane.store import migrate, postgresql, sqlite
from flinkform.errors import Invalid, Unavailable

_UNFIT = "expected text without NUL and lone surrogates, and whole numbers of 64 bits"
"""What callers are told who sent something else; the API refuses most of that with its place."""
_KINDS = {"sqlite": sqlite, "postgresql": postgresql}


class Store:
    """The database of one control plane, or of several; safe from many threads and from other processes.

    `with store.write() as db:` is one transaction, undone when the block raises; every function of this
    package takes that *db* first. Writers queue up, wherever they are; readers never wait for them. Keep
    both short, and call nothing slow inside. Times are milliseconds since the epoch, given by the caller.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        writer: threading.Lock | None = None,
        guard: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._kind = _KINDS[engine.dialect.name]
        self._writer = writer or threading.Lock()
        self._guard = guard
        self.first: Callable[[Connection], None] | None = None
        self.note: Callable[[Connection], None] | None = None

    @classmethod
    def open(cls, url: str) -> Self:
        """Bring the tables up to date and return the store; Unavailable when that fails, saying where and why.

        Invalid: no URL of SQLite or PostgreSQL. Missing: PostgreSQL's driver is not installed.
        """
        store = cls.unmigrated(url)
        try:
            with store.write() as db:
                store.upgrade(db)
        except ProgrammingError as error:  # what a user of the database may not do
            store.close()
            raise store.unusable(error) from error
        except BaseException:
            store.close()
            raise
        return store

    @classmethod
    def unmigrated(cls, url: str) -> Self:
        """The store with whatever tables there are."""
        asked = _url(url)
        return cls(_KINDS[asked.get_backend_name()].engine(asked))

    @classmethod
    def at(cls, home: Path) -> Self:
        """The store in a control plane's home folder, made if it is not there."""
        return cls.open(f"sqlite:///{home / 'controlplane.db'}")

    def guarded(self, guard: Callable[[Connection], None]) -> Store:
        """The same store for somebody whose writes are undone when *guard*, which is asked first in each, raises."""
        return Store(self._engine, writer=self._writer, guard=guard)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """See one unchanging moment of the database; what is written here is lost."""
        with (
            self._answering(),
            self._engine.connect().execution_options(**self._kind.READ) as db,
            db.begin() as transaction,
        ):
            yield db
            transaction.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Do all of the block or none of it; durable when the block is left."""
        with (
            self._answering(),
            self._writer,
            self._engine.connect().execution_options(**self._kind.WRITE) as db,
            db.begin(),
        ):
            self._guard(db)
            if self.first is not None:
                self.first(db)
            yield db
            if self.note is not None:
                self.note(db)

    def noting(self, note: Callable[[Connection], None], *, first: Callable[[Connection], None] | None = None) -> Self:
        """Return this store as one whose writing transactions begin with *first* and end with *note*, if all is well.

        Both fail or succeed with the transaction.
        """
        noted = copy(self)
        noted.first, noted.note = first, note
        return noted

    def close(self) -> None:
        """Give the files and connections back; the store is not usable any more."""
        self._engine.dispose()

    def upgrade(self, db: Connection) -> None:
        """Bring the tables up to date, if the database can hold what they will."""
        self._kind.check(db)
        migrate.upgrade(db)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Say in our words that the database cannot be used: its disk is full, its file is locked, its server gone."""
        try:
            yield
        except DBAPIError as error:
            if isinstance(error, DataError):
                raise Invalid(_UNFIT) from error
            if isinstance(error, OperationalError | InternalError) or error.connection_invalidated:
                raise self.unusable(error) from error
            raise
        except (OverflowError, UnicodeEncodeError) as error:
            raise Invalid(_UNFIT) from error
        except Queued as error:
            raise Unavailable("the database has more to do than it can", advice="try again soon") from error

    def unusable(self, error: DBAPIError) -> Unavailable:
        """The error that says which database it is and what the matter is, and no secret."""
        url = self._engine.url
        place = url.database if url.get_backend_name() == "sqlite" else f"{url.database} at {url.host or 'localhost'}"
        said = " ".join(str(error.orig).split())
        for secret in filter(None, (url.password, url.query.get("password"))):
            said = said.replace(str(secret), "***")
        return Unavailable(f"the database {place} does not answer: {said}")


def _url(text: str) -> URL:
    """The URL of a database. Invalid says nothing of its parts: one that is written wrongly has its secret anywhere."""
    advice = "write `@`, `/` and `:` in a password as %40, %2F and %3A"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.get_backend_name() not in _KINDS or "@" in f"{url.host}{url.database}":
        expected = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:///FILE"
        raise Invalid(f"the database's URL: expected {expected}", advice=advice)
    return url
