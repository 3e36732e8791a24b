"""Databases with today's tables, migrated once a process: copying one is five times as fast as making it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Protocol

import psycopg

from flinkform.controlplane.store.database import Store
from tests.postgresql import Postgres

_TEMPLATE = "tables"


class Kind(Protocol):
    """One of the databases that a control plane may have."""

    name: str

    def url(self, home: Path) -> str:
        """The database of a control plane with that home, which is made with its tables where it is not there."""


class Sqlite:
    """A file in each home."""

    name = "sqlite"

    def url(self, home: Path) -> str:
        home.mkdir(mode=0o700, exist_ok=True)
        file = home / "controlplane.db"
        if not file.exists():
            file.write_bytes(_tables())
        return f"sqlite:///{file}"


class Postgresql:
    """A database of one server for each home."""

    name = "postgresql"

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._admin = psycopg.connect(server.database("postgres"), autocommit=True)
        self._names: dict[Path, str] = {}
        self._count = 0
        self._admin.execute(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
        Store.open(server.database(_TEMPLATE)).close()

    def url(self, home: Path) -> str:
        home.mkdir(mode=0o700, exist_ok=True)
        if home not in self._names:
            self._tidy()
            self._names[home] = self.make(_TEMPLATE)
        return self.server.database(self._names[home])

    def make(self, template: str = "template0") -> str:
        """A new database's name; with tables only if its template has them."""
        self._count += 1
        name = f"t{self._count}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def close(self) -> None:
        self._admin.close()

    def _tidy(self) -> None:
        """Drop what former tests are done with: each takes 8 MB."""
        for home, name in list(self._names.items())[:-4]:
            try:
                self._admin.execute(f"DROP DATABASE {name}")
            except psycopg.errors.ObjectInUse:
                continue
            del self._names[home]


def stocked(home: Path, kind: Kind | None = None) -> Store:
    """The store of a home, which is made if it is not there."""
    return Store.open((kind or Sqlite()).url(home))


@cache
def _tables() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        Store.at(Path(folder)).close()
        return (Path(folder) / "controlplane.db").read_bytes()
