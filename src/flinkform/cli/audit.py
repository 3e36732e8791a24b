"""`flinkform audit`: who changed what through the control plane, and whether the log of that is whole."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from flinkform.cli import released
from flinkform.cli.progress import table
from flinkform.cli.store import opened
from flinkform.controlplane.store import audit
from flinkform.controlplane.store.audit import NOTHING, Head, Row
from flinkform.errors import Conflict, Invalid

_MOST = 20
"""Faults that are told; where more are found, the log is lost anyway."""


def _list(options: argparse.Namespace) -> int:
    if options.limit < 0:
        raise Invalid(f"--limit: expected 0 or more, got {options.limit}")
    with opened(options) as (_, store), store.read() as db:
        found = list(islice(_wanted(audit.rows(db, newest=True), options), options.limit or None))
    found.reverse()
    if options.json:
        for row in found:
            print(json.dumps(row.shown, sort_keys=True))
    else:
        rows = [_shown(row.entry) for row in found]
        columns = ("row", "at", "who", "operation", "outcome", "where", "changed")
        print(table(rows, columns) if rows else "nothing was changed yet")
    return 0


def _wanted(rows: Iterator[Row], options: argparse.Namespace) -> Iterator[Row]:
    for row in rows:
        entry = row.entry
        whose = options.principal in ("", entry.get("principal"), entry.get("through"))
        if whose and options.operation in ("", entry.get("operation")):
            yield row


def _verify(options: argparse.Namespace) -> int:
    expected, releases, unlike, start = _head(options.head), 0, list[str](), NOTHING
    if options.file is not None:
        with options.file.open("rb") as lines:
            last, found = _checked(audit.exported(lines), None, expected)
    else:
        with opened(options) as (_, store), store.read() as db:
            start = audit.start(db)
            last, found = _checked(audit.rows(db), audit.head(db), expected, start=start)
            releases, unlike = released.proven(db)
    whole = {
        "rows": last.seq - start.seq,
        "pruned": start.seq,
        "head": f"{last.seq}:{last.hash}",
        "releases": releases,
        "faults": found + unlike,
    }
    if options.json:
        print(json.dumps(whole))
    if unlike:
        said = "log, labels and Git do not say the same:\n  " + "\n  ".join(found + unlike)
        raise Conflict(said, advice="`flinkform drift` shows what differs, a release of the commit brings it back")
    if found:
        advice = "the rows before the first of these are as they were written"
        raise Conflict("the audit log was altered:\n  " + "\n  ".join(found), advice=advice)
    if not options.json:
        gone = f"rows 1 to {start.seq} were pruned; " if start.seq else ""
        print(f"{gone}{last.seq - start.seq} rows, each as it was written; the end is {whole['head']}")
        if releases:
            print(f"{releases} releases: log, labels and Git say the same of each")
        sys.stdout.flush()
    return 0


def _checked(
    rows: Iterator[Row], head: Head | None, expected: Head | None, *, start: Head = NOTHING
) -> tuple[Head, list[str]]:
    """Return the end of the log and what is wrong with it; it must hold the row *expected* as well."""
    seen: dict[int, str] = {}
    last = Head(0, "")

    def watched() -> Iterator[Row]:
        nonlocal last
        for row in rows:
            seq = row.entry.get("seq")
            last = Head(seq, row.hash) if isinstance(seq, int) else last
            if expected is not None and last.seq == expected.seq:
                seen[expected.seq] = row.hash
            yield row

    found = list(islice(audit.faults(watched(), head=head, start=start), _MOST))
    if expected == start:
        return last, found
    if expected is not None and expected.seq and seen.get(expected.seq) != expected.hash and len(found) < _MOST:
        found.append(f"row {expected.seq} does not have the hash {expected.hash} that it had")
    return last, found


def _head(text: str) -> Head | None:
    if not text:
        return None
    number, _, digest = text.partition(":")
    if not number.isdecimal():
        raise Invalid(f"--head: expected SEQ:HASH, got {text[:80]!r}")
    return Head(int(number), digest)


def _shown(entry: dict[str, Any]) -> dict[str, str]:
    where = {name: str(value) for name, value in (entry.get("where") or {}).items()}
    changes = list(entry.get("changes") or ())
    more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
    return {
        "row": str(entry.get("seq", "")),
        "at": str(entry.get("at", "damaged")),
        "who": str(entry.get("through") or entry.get("principal", "")),
        "operation": str(entry.get("operation", "")),
        "outcome": str(entry.get("outcome", "")),
        "where": " ".join(value for name, value in sorted(where.items()) if name != "workspace"),
        "changed": ", ".join(changes[:3]) + more,
    }
