"""The audit log: who changed what, each row with the hash of the one before, so that nothing is altered unseen.

A row's hash is SHA-256 over its line: JSON with sorted keys, without spaces, in ASCII. The line holds `seq` and the
hash of the row before as `previous`. The newest row's number and hash are kept beside the log, so that rows missing
at its end are seen too; who can write the database can write those as well, and is seen by a copy kept elsewhere.

Old rows go by `prune` alone: the last of them is kept beside the log as its start, and a row of the log says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update

from flinkform.controlplane.store.tables import audit as table
from flinkform.controlplane.store.tables import chains

_NAME, _START = "audit", "audit/start"
_HEAD = chains.c.name == _NAME
# The lock lasts until its transaction ends: two writers can never follow the same row.
_LAST = select(chains.c.seq, chains.c.hash).where(_HEAD).with_for_update()
_ADD, _MOVE = insert(table), update(chains).where(_HEAD)
PRUNED = "PruneAudit"
"""The operation of the row that says which rows are gone: `through` their last, which had the hash `hash`."""
_AT_ONCE = 10_000
"""Rows that one transaction removes."""
BATCH = 1000
"""Rows that are fetched at once."""


class Row(NamedTuple):
    """One row; *where* says where it was found, for people."""

    where: str
    line: bytes
    hash: str

    @property
    def entry(self) -> dict[str, Any]:
        """What the row says; nothing if it is damaged."""
        try:
            found = json.loads(self.line)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def shown(self) -> dict[str, Any]:
        return {**self.entry, "hash": self.hash}


class Head(NamedTuple):
    """Number and hash of a row, the newest or the last that is gone; 0 and nothing where there is none."""

    seq: int
    hash: str


NOTHING = Head(0, "")


def append(db: Connection, entry: Mapping[str, Any]) -> None:
    """Add a row, in the transaction of the change it tells of."""
    last = db.execute(_LAST).one()
    line = _line({**entry, "seq": last.seq + 1, "previous": last.hash})
    digest = hashlib.sha256(line).hexdigest()
    db.execute(_ADD, {"seq": last.seq + 1, "line": line, "hash": digest})
    db.execute(_MOVE, {"seq": last.seq + 1, "hash": digest})


def head(db: Connection) -> Head:
    return Head(*db.execute(select(chains.c.seq, chains.c.hash).where(chains.c.name == _NAME)).one())


def start(db: Connection) -> Head:
    """Return the last row that was pruned."""
    found = db.execute(select(chains.c.seq, chains.c.hash).where(chains.c.name == _START)).first()
    return Head(*found) if found else NOTHING


def prune(db: Connection, *, before: int, now: int) -> Head | None:
    """Remove rows older than *before*, and add one that says so; return the last that is gone, if any is.

    Times are milliseconds. A row that is damaged ends it: that is for `faults` to find. The newest row stays.
    """
    last = db.execute(_LAST).one().seq
    gone: Head | None = None
    for row in islice(rows(db), _AT_ONCE):
        if row.entry.get("seq") == last or not _older(row, before):
            break
        gone = Head(row.entry["seq"], row.hash)
    if gone is None:
        return None
    db.execute(delete(table).where(table.c.seq <= gone.seq))
    db.execute(delete(chains).where(chains.c.name == _START))
    db.execute(insert(chains).values(name=_START, seq=gone.seq, hash=gone.hash))
    at = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    changes = {"through": gone.seq, "hash": gone.hash}
    entry = {"at": at, "principal": "controlplane", "operation": PRUNED, "outcome": "done", "where": {}}
    append(db, {**entry, "changes": changes})
    return gone


def _older(row: Row, before: int) -> bool:
    try:
        at = datetime.fromisoformat(str(row.entry.get("at")))
    except ValueError:
        return False
    return hashlib.sha256(row.line).hexdigest() == row.hash and at.timestamp() * 1000 < before


def rows(db: Connection, *, newest: bool = False) -> Iterator[Row]:
    """Yield all rows, in the order of their numbers or the *newest* first."""
    query = select(table).order_by(table.c.seq.desc() if newest else table.c.seq).limit(BATCH)
    found = db.execute(query).all()
    while found:
        for row in found:
            # Who alters a row of SQLite may leave text where bytes stood.
            line = row.line.encode(errors="replace") if isinstance(row.line, str) else bytes(row.line)
            yield Row(f"row {row.seq}", line, str(row.hash))
        last = found[-1].seq
        # By number, not by a cursor: who reads the first few only leaves nothing open.
        found = db.execute(query.where(table.c.seq < last if newest else table.c.seq > last)).all()


def exported(lines: Iterable[bytes]) -> Iterator[Row]:
    """Yield the rows of a file of JSON lines as `Row.shown` has them."""
    for number, text in enumerate(lines, 1):
        row = Row(f"line {number}", text, "")
        entry = row.entry
        digest = entry.pop("hash", "")
        yield Row(row.where, _line(entry) if entry else text, digest if isinstance(digest, str) else "")


def faults(found: Iterable[Row], *, head: Head | None = None, start: Head = NOTHING) -> Iterator[str]:
    """Yield what is wrong with rows and where: changed, missing, out of order; of *head*, which rows end too soon.

    A log without a *head* (an export of a part) may begin with any row. One that was pruned up to *start* has a row
    that says so.
    """
    last = start if head is not None else None
    told = NOTHING
    for row in found:
        entry = row.entry
        told = _told(entry) or told
        seq, previous = entry.get("seq"), entry.get("previous")
        if hashlib.sha256(row.line).hexdigest() != row.hash or not isinstance(seq, int):
            yield f"{row.where} was changed after it was written"
            if last is None:
                continue
            seq = last.seq + 1
        elif last is not None and seq <= last.seq:
            yield f"{row.where} holds row {seq}, which does not belong after row {last.seq}"
            continue
        elif last is not None and seq > last.seq + 1:
            yield f"{row.where}: {_missing(last.seq + 1, seq - 1)} before row {seq}"
        elif last is not None and previous != last.hash:
            yield f"{row.where} does not continue row {last.seq}: one of both was replaced"
        last = Head(seq, row.hash)
    if head is not None and last is not None:
        yield from _bounds(last, head, told, start)


def _bounds(last: Head, head: Head, told: Head, start: Head) -> Iterator[str]:
    """Yield what is wrong with where a log begins and ends."""
    if told != start:
        yield f"the beginning: expected a row that says that rows up to {start.seq} were pruned"
    if last.seq < head.seq:
        yield f"the end: {_missing(last.seq + 1, head.seq)}"
    elif last != head:
        yield f"the end: expected the hash {head.hash} of row {head.seq}"


def _told(entry: Mapping[str, Any]) -> Head | None:
    """Return which row was the last to go, if this one says that rows did."""
    changes = entry.get("changes") or {}
    return Head(changes.get("through", 0), str(changes.get("hash"))) if entry.get("operation") == PRUNED else None


def _missing(first: int, last: int) -> str:
    return f"row {first} is missing" if first == last else f"rows {first} to {last} are missing"


def _line(entry: Mapping[str, Any]) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
