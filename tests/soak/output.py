"""A job whose every row is known beforehand, and the judge of what it has committed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

# Each row has its place in the stream, a count that only state can know, and the edit that wrote it.
_SCRIPT = """
CREATE TABLE numbers (n BIGINT, moment AS PROCTIME()) WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '{most}');
CREATE TABLE seen (n BIGINT, total BIGINT, edit INT) WITH ('connector' = 'filesystem', 'path' = '{place}',
  'format' = 'csv', 'sink.rolling-policy.rollover-interval' = '1 s', 'sink.rolling-policy.check-interval' = '250 ms');
INSERT INTO seen SELECT n, COUNT(*) OVER (ORDER BY moment ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), {edit}
FROM numbers;
"""
RATE = 10
MOST = 100_000
OPTIONS = {"execution.checkpointing.interval": "500 ms"}


def script(place: Path, edit: int) -> str:
    """The SQL of an edit; each keeps the state of the one before."""
    return _SCRIPT.format(rate=RATE, most=MOST, place=place.as_uri(), edit=edit)


@dataclass(frozen=True, slots=True)
class Row:
    n: int
    total: int
    edit: int


def committed(place: Path) -> list[Row]:
    """The rows in files that the sink has committed, by number; what is in progress has a name with a dot."""
    rows = []
    for file in place.glob("[!._]*"):
        rows += [Row(*map(int, line.split(","))) for line in file.read_text().splitlines()]
    return sorted(rows, key=lambda row: row.n)


def wrongs(rows: list[Row]) -> list[str]:
    """What is wrong with a whole output: gaps, duplicates, lost state, edits undone."""
    counted = Counter(row.n for row in rows)
    highest = max(counted, default=0)
    found = {
        "gap": [n for n in range(1, highest + 1) if n not in counted],
        "duplicate": [n for n, times in counted.items() if times > 1],
        "state lost or doubled": [row.n for row in rows if row.total != row.n],
        "older edit": [b.n for a, b in pairwise(rows) if b.edit < a.edit],
    }
    return [f"{what} at {_shown(numbers)}" for what, numbers in found.items() if numbers]


def _shown(numbers: list[int]) -> str:
    more = f" and {len(numbers) - 5} more" if len(numbers) > 5 else ""
    return ", ".join(map(str, sorted(numbers)[:5])) + more
