"""The audit log: a chain in which nothing can be altered unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, update

from flinkform.controlplane.store import audit
from flinkform.controlplane.store.audit import Head, Row
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.tables import audit as table
from flinkform.controlplane.store.tables import chains

DAY = 86_400_000


@pytest.fixture
def log(db: Connection) -> Connection:
    """Ten rows."""
    for number in range(10):
        audit.append(db, {"operation": "StartJob", "where": {"jobId": f"j{number}"}})
    return db


def faults(db: Connection) -> list[str]:
    return list(audit.faults(audit.rows(db), head=audit.head(db)))


def test_whole(log: Connection) -> None:
    """A log that nobody touched has no faults, and each row names the one before."""
    assert faults(log) == []
    rows = list(audit.rows(log))
    assert [row.entry["seq"] for row in rows] == list(range(1, 11))
    assert [row.entry["previous"] for row in rows] == ["", *(row.hash for row in rows[:-1])]
    assert [row.entry["seq"] for row in audit.rows(log, newest=True)] == list(range(10, 0, -1))


def test_a_long_log_is_read_in_pieces(log: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows are fetched at once, each is told once."""
    for size in (1, 3, 10, 11):
        monkeypatch.setattr(audit, "BATCH", size)
        assert [row.entry["seq"] for row in audit.rows(log)] == list(range(1, 11))
        assert [row.entry["seq"] for row in audit.rows(log, newest=True)] == list(range(10, 0, -1))


def test_flipped_byte(log: Connection) -> None:
    """One bit of one row changed: that row is named, and no other."""
    line = bytearray(list(audit.rows(log))[4].line)
    line[20] ^= 1
    log.execute(update(table).where(table.c.seq == 5).values(line=bytes(line)))
    assert faults(log) == ["row 5 was changed after it was written"]


def test_replaced_row(log: Connection) -> None:
    """A row that was written anew, with a hash that is right, no longer fits the next."""
    old = list(audit.rows(log))[4]
    new = next(audit.exported([json.dumps({**old.shown, "operation": "StopJob"}).encode()]))
    values = {"line": new.line, "hash": hashed(new.line)}
    log.execute(update(table).where(table.c.seq == 5).values(values))
    assert faults(log) == ["row 6 does not continue row 5: one of both was replaced"]


def test_removed_rows(log: Connection) -> None:
    """Rows that are gone are named, at the beginning, in the middle and at the end."""
    log.execute(delete(table).where(table.c.seq.in_((1, 4, 5, 9, 10))))
    assert faults(log) == [
        "row 2: row 1 is missing before row 2",
        "row 6: rows 4 to 5 are missing before row 6",
        "the end: rows 9 to 10 are missing",
    ]


def test_exchanged_rows(log: Connection) -> None:
    """Two rows that changed places are seen."""
    first, second = list(audit.rows(log))[3:5]
    for seq, row in ((4, second), (5, first)):
        log.execute(update(table).where(table.c.seq == seq).values(line=row.line, hash=row.hash))
    assert faults(log) == [
        "row 4: row 4 is missing before row 5",
        "row 5 holds row 4, which does not belong after row 5",
    ]


def dated(db: Connection, *days: int) -> None:
    """Add a row for each of these days of 1970."""
    for day in days:
        audit.append(db, {"operation": "StartJob", "at": f"1970-01-{day:02}T00:00:00.000Z"})


def pruned(db: Connection, *, before: int) -> Head | None:
    """Prune what is older than a day of January 1970, on its last day."""
    return audit.prune(db, before=(before - 1) * DAY, now=30 * DAY)


def after(db: Connection) -> list[str]:
    return list(audit.faults(audit.rows(db), head=audit.head(db), start=audit.start(db)))


def test_pruned(db: Connection) -> None:
    """Old rows go, a row says which, and the rest is proven as before; again and again."""
    dated(db, 1, 2, 3, 4, 5)
    assert pruned(db, before=1) is None
    assert pruned(db, before=3) == audit.start(db) == Head(2, next(audit.rows(db)).entry["previous"])
    newest = next(audit.rows(db, newest=True)).entry
    assert (newest["seq"], newest["operation"], newest["changes"]["through"]) == (6, audit.PRUNED, 2)
    assert after(db) == []
    assert pruned(db, before=5) is not None
    assert [row.entry["seq"] for row in audit.rows(db)] == [5, 6, 7]
    assert after(db) == []
    assert pruned(db, before=40) is not None
    assert (len(list(audit.rows(db))), after(db)) == (2, [])


def test_pruned_by_somebody_else(db: Connection) -> None:
    """More rows gone than the log says, or a start that no row tells of, are found."""
    dated(db, 1, 2, 3, 4, 5)
    pruned(db, before=3)
    db.execute(delete(table).where(table.c.seq == 3))
    assert after(db) == ["row 4: row 3 is missing before row 4"]
    row = next(audit.rows(db)).entry
    db.execute(update(chains).where(chains.c.name == "audit/start").values(seq=3, hash=row["previous"]))
    assert after(db) == ["the beginning: expected a row that says that rows up to 3 were pruned"]


def test_damage_is_not_pruned(db: Connection) -> None:
    """A row that was changed stays with all after it, to be found."""
    dated(db, 1, 2, 3)
    db.execute(update(table).where(table.c.seq == 2).values(hash="x"))
    assert pruned(db, before=9) == Head(1, next(audit.rows(db)).entry["previous"])
    assert after(db) == [
        "row 2 was changed after it was written",
        "row 3 does not continue row 2: one of both was replaced",
    ]


def hashed(line: bytes) -> str:

    return hashlib.sha256(line).hexdigest()


def chain() -> list[bytes]:
    """Return a log as it is exported, made without a database."""
    lines, previous = [], ""
    for number in range(1, 9):
        entry = {"seq": number, "previous": previous, "operation": "Ä", "changes": {"a": [1, None]}}
        row = next(audit.exported([json.dumps(entry).encode()]))
        previous = hashed(row.line)
        lines.append(json.dumps({**entry, "hash": previous}).encode())
    return lines


LINES = chain()


def told(lines: list[bytes]) -> Iterator[str]:
    return audit.faults(audit.exported(lines))


def test_an_export_is_checked_alike() -> None:
    """The lines of an export are the rows; a part of a log may begin anywhere."""
    assert list(told(LINES)) == []
    assert list(told(LINES[3:])) == []
    assert list(told([*LINES[:2], LINES[3], LINES[2], *LINES[4:]])) == [
        "line 3: row 3 is missing before row 4",
        "line 4 holds row 3, which does not belong after row 4",
    ]


@given(at=st.integers(0, len(LINES) - 1), byte=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_byte_of_an_export_can_change(at: int, byte: int, bit: int) -> None:
    """Whichever bit is flipped, the log says the same as before or a fault is found at that line or the next."""
    line = bytearray(LINES[at])
    line[byte % len(line)] ^= 1 << bit
    changed = [*LINES[:at], bytes(line), *LINES[at + 1 :]]
    said = list(told(changed))
    if entry(changed[at]) != entry(LINES[at]):
        assert said
        assert said[0].startswith((f"line {at + 1} ", f"line {at + 2} ", f"line {at + 1}:", f"line {at + 2}:"))


def entry(line: bytes) -> object:
    return Row("", line, "").entry


def test_a_row_stands_or_falls_with_its_change(store: Store) -> None:
    """What a transaction notes is undone with it."""

    def fail() -> None:
        with store.noting(lambda db: audit.append(db, {"operation": "x"})).write() as db:
            audit.append(db, {"operation": "y"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with store.noting(lambda db: audit.append(db, {"operation": "x"})).write():
        pass
    with store.read() as db:
        assert [row.entry["operation"] for row in audit.rows(db)] == ["x"]
        assert audit.head(db) == Head(1, next(audit.rows(db)).hash)
