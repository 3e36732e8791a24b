"""The database: migrated, transactional, safe from many threads and processes, private where it is a file."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from flinkform.controlplane.store import meta
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.tables import METADATA
from flinkform.errors import Conflict, Invalid, Unavailable
from tests.unit.controlplane.tables import Kind, stocked

pytestmark = pytest.mark.both


def test_migrations_end_where_the_tables_are(store: Store) -> None:
    """Running every migration gives exactly the tables the code describes."""
    with store.read() as db:
        assert compare_metadata(MigrationContext.configure(db), METADATA) == []


def test_file_is_private(tmp_path: Path) -> None:
    """Nobody else can read the database or the files SQLite puts beside it, whatever the umask."""
    store = stocked(tmp_path / "home")
    with store.write() as db:
        meta.put(db, "a", "b")
    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "home").iterdir()}
    assert modes["controlplane.db"] == 0o600
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
    store.close()


def test_open_file_is_made_private(tmp_path: Path) -> None:
    """A database file that others could read is closed to them when it is opened."""
    (tmp_path / "controlplane.db").touch(mode=0o644)
    Store.at(tmp_path).close()
    assert (tmp_path / "controlplane.db").stat().st_mode & 0o777 == 0o600


def test_write_is_all_or_nothing(store: Store) -> None:
    """A block that raises leaves nothing behind."""

    def fail() -> None:
        with store.write() as db:
            meta.put(db, "a", "b")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.read() as db:
        assert meta.get(db, "a") is None


def test_write_lasts(tmp_path: Path, kind: Kind) -> None:
    """What was written is there after a close and an open."""
    first = Store.open(kind.url(tmp_path))
    with first.write() as db:
        meta.put(db, "a", "b")
    first.close()
    again = Store.open(kind.url(tmp_path))
    with again.read() as db:
        assert meta.get(db, "a") == "b"
    again.close()


def test_readers_see_one_moment(store: Store) -> None:
    """A reader that began before a write does not see it, and does not hold it up."""
    with store.read() as before:
        assert meta.get(before, "a") is None
        with store.write() as db:
            meta.put(db, "a", "b")
        assert meta.get(before, "a") is None
    with store.read() as after:
        assert meta.get(after, "a") == "b"


def test_writers_from_many_threads_lose_nothing(store: Store) -> None:
    """Read-then-write transactions of eight threads add up."""

    def add() -> None:
        for _ in range(25):
            with store.write() as db:
                meta.put(db, "n", str(int(meta.get(db, "n") or 0) + 1))

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as db:
        assert meta.get(db, "n") == "200"


def test_two_stores_on_one_database_lose_nothing(store: Store, tmp_path: Path, kind: Kind) -> None:
    """Another process' writer waits for ours instead of failing or overwriting."""
    other = Store.open(kind.url(tmp_path / "home"))

    def add(one: Store) -> None:
        for _ in range(25):
            with one.write() as db:
                meta.put(db, "n", str(int(meta.get(db, "n") or 0) + 1))

    threads = [threading.Thread(target=add, args=(one,)) for one in (store, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    with store.read() as db:
        assert meta.get(db, "n") == "50"


def test_newer_database_is_refused(store: Store, tmp_path: Path, kind: Kind) -> None:
    """A database of a later flinkform is not touched, and the message says what to do."""
    with store.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Conflict, match="got 9999; a newer flinkform wrote it"):
        Store.open(kind.url(tmp_path / "home"))


def test_unwritable_place_is_named(tmp_path: Path) -> None:
    """A home that cannot be made is an error that names the file and the reason."""
    (tmp_path / "home").write_text("a file")
    with pytest.raises(Unavailable, match=r"cannot write the database .*controlplane\.db: File exists"):
        Store.at(tmp_path / "home")


def test_guarded_writes_are_undone(store: Store) -> None:
    """Who may not write any more writes nothing, and reads on."""

    def guard(_db: object) -> None:
        raise Conflict("not yours")

    def put() -> None:
        with store.guarded(guard).write() as db:
            meta.put(db, "a", "b")

    with pytest.raises(Conflict, match="not yours"):
        put()
    with store.guarded(guard).read() as db:
        assert meta.get(db, "a") is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgresql",
        "mysql://u:hunter2@h/d",
        "postgresql://u:hunter2@word@h/d",
        "postgresql://u@h:hunter2/d",
    ],
)
def test_bad_url_is_refused_without_its_secret(url: str) -> None:
    """A URL that is none, or of another database, is refused in words that repeat no part of it."""
    with pytest.raises(Invalid, match="expected postgresql://USER:PASSWORD@HOST:PORT/DATABASE") as refused:
        Store.open(url)
    assert "hunter2" not in str(refused.value)
