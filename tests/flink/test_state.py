# ruff: noqa: E501, S608 -- a table of scripts reads best one a line
"""Edited jobs on real Flink: started from the savepoint of the old plan under matched ids, with what they write."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flinkform.flink.cluster import job_defaults
from flinkform.flink.match import match
from flinkform.flink.plan import Plan
from flinkform.flink.runtime import Embedded
from flinkform.flink.submit import Prepared
from flinkform.flink.validate import Planner
from flinkform.flink.values import Phase, Submission
from flinkform.flink.verdict import Fate, Verdict, judged
from tests.flink.conftest import settled, stopped, until

Rows = list[tuple[int, ...]]

# n counts from 1 to 100,000, a hundred a second; in an exact count of all rows the count is n, and the sum its triangle.
SOURCE = """
CREATE TABLE a (n BIGINT, k AS CAST(n - n AS INT), g AS n / 50, pt AS PROCTIME(), ts AS TO_TIMESTAMP_LTZ(n * 100, 3),
    WATERMARK FOR ts AS ts) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
    'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '100000');
CREATE TABLE b (m BIGINT, k AS CAST(m - m AS INT)) WITH ('connector' = 'datagen', 'number-of-rows' = '1',
    'fields.m.kind' = 'sequence', 'fields.m.start' = '7', 'fields.m.end' = '7');
"""
COUNT = "INSERT INTO o SELECT MAX(n), COUNT(*), SUM(n) FROM a GROUP BY k"
JOINED = """INSERT INTO o SELECT x.n, x.c, b.m FROM (SELECT k, MAX(n) AS n, COUNT(*) AS c FROM a GROUP BY k) x
    JOIN b ON x.k = b.k"""
PAIRS = "INSERT INTO o SELECT a.n, a.n, b.m FROM a JOIN b ON a.k = b.k"
WINDOW = """INSERT INTO o SELECT MAX(n), COUNT(*), SUM(n) FROM TABLE(TUMBLE(TABLE a, DESCRIPTOR(ts),
    INTERVAL '5' SECOND)) GROUP BY window_start, window_end"""
GROUPED = "INSERT INTO o SELECT MAX(n), COUNT(*), SUM(n) FROM a GROUP BY TUMBLE(ts, INTERVAL '5' SECOND)"
SESSION = """INSERT INTO o SELECT MAX(n), COUNT(*), SUM(n) FROM TABLE(SESSION(TABLE a PARTITION BY g, DESCRIPTOR(ts),
    INTERVAL '0.2' SECOND)) GROUP BY window_start, window_end, g"""
FIRST = """INSERT INTO o SELECT n, g, n FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY g ORDER BY pt) AS i FROM a)
    WHERE i = 1"""
TOP = """INSERT INTO o SELECT n, i, g FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY k ORDER BY n DESC) AS i FROM a)
    WHERE i <= 3"""
OVER = """INSERT INTO o SELECT n, COUNT(*) OVER w, SUM(n) OVER w FROM a
    WINDOW w AS (PARTITION BY k ORDER BY pt ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"""
SELF = """INSERT INTO o SELECT x.n, y.n, x.n - y.n FROM a x JOIN a y ON x.k = y.k AND y.n = x.n - 100
    AND y.ts BETWEEN x.ts - INTERVAL '11' SECOND AND x.ts"""
BATCHES = (
    "SET 'table.exec.mini-batch.enabled' = 'true'; SET 'table.exec.mini-batch.allow-latency' = '100 ms'; "
    "SET 'table.exec.mini-batch.size' = '10'; SET 'table.optimizer.agg-phase-strategy' = 'TWO_PHASE';"
)


def printing(identifier: str) -> str:
    return f"""CREATE TABLE o (p BIGINT, q BIGINT, r BIGINT) WITH ('connector' = 'print', 'print-identifier' = '{identifier}');
    CREATE TABLE o2 (p BIGINT, q BIGINT) WITH ('connector' = 'blackhole');
    """


def written(flink: Embedded, identifier: str) -> Rows:
    """The rows that were inserted or put in the place of others, in order."""
    file = flink.home / "jvm.out"
    text = file.read_text() if file.exists() else ""
    row = re.compile(re.escape(identifier) + r"> \+[IU]\[(\d+), (\d+), (\d+)\]")
    return [tuple(int(value) for value in found.groups()) for found in row.finditer(text)]


@dataclass(frozen=True, slots=True)
class Stopped:
    """A job that ran for a while: its plan, what it wrote, and its savepoint."""

    plan: Plan
    rows: Rows
    location: str


class Upgrades:
    """Runs a script until it wrote some rows and stops it with a savepoint, once; then edits of it from there."""

    def __init__(self, flink: Embedded, planner: Planner, folder: Path) -> None:
        self._flink = flink
        self._planner = planner
        self._folder = folder
        self._stopped: dict[str, Stopped] = {}

    def __call__(self, old: str, new: str, *, rows: int = 8) -> tuple[Rows, Rows, Verdict]:
        then = self._stopped.get(old) or self._before(old, rows)
        self._stopped[old] = then
        name = f"run{uuid.uuid4().hex[:8]}"
        script = SOURCE + printing(name) + new
        plan = self._planner.compile(script, {})
        assert plan
        found = match(then.plan, plan)
        verdict = judged(then.plan, found)
        dropping = any(operator.fate is Fate.DROPPED for operator in verdict.operators)
        job_id = self._start(found.plan, script, restore=then.location, allow_non_restored=dropping)
        until(lambda: len(written(self._flink, name)) >= rows or self._flink.observe()[job_id].state.final)
        assert self._flink.observe()[job_id].state is Phase.RUNNING, self._flink.failure(job_id)
        self._flink.cancel(job_id)
        return then.rows, written(self._flink, name), verdict

    def _before(self, sql: str, rows: int) -> Stopped:
        name = f"run{uuid.uuid4().hex[:8]}"
        script = SOURCE + printing(name) + sql
        plan = self._planner.compile(script, {})
        assert plan
        job_id = self._start(plan, script)
        until(lambda: len(written(self._flink, name)) >= rows)
        location = stopped(self._flink, job_id, self._folder / name)
        return Stopped(plan, written(self._flink, name), location)

    def _start(self, plan: Plan, script: str, **changes: Any) -> str:
        job = Submission(
            id=uuid.uuid4().hex,
            name="edited",
            script=script,
            checkpoint_dir=str(self._folder / "checkpoints"),
            savepoint_dir=str(self._folder / "savepoints"),
            options={"restart-strategy.type": "none"},
            **changes,
        )
        port = self._flink.rest.rpartition(":")[2]
        target = {"execution.target": "remote", "rest.address": "127.0.0.1", "rest.port": port}
        gateway = self._flink._jvm.gateway
        prepared = Prepared(gateway, job, job_defaults(self._flink._settings), target)
        prepared._decide()
        reference = gateway.flink.table.api.PlanReference.fromJsonString(plan.flink())
        prepared._reading.environment.loadPlan(reference).execute()
        settled(self._flink, job.id)
        return job.id


@pytest.fixture(scope="module")
def upgrade(flink: Embedded, planner: Planner, tmp_path_factory: pytest.TempPathFactory) -> Upgrades:
    return Upgrades(flink, planner, tmp_path_factory.mktemp("state"))


def triangle(n: int) -> int:
    return n * (n + 1) // 2


def exact(rows: Rows) -> bool:
    """Whether each row is the count and the sum of all numbers up to its own."""
    return all((q, r) == (p, triangle(p)) for p, q, r in rows)


PASSING = """CREATE TEMPORARY TABLE t (n BIGINT, k AS CAST(n - n AS INT)) WITH ('connector' = 'datagen',
    'rows-per-second' = '100', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '100000');"""
EXPIRING, ROCKS = "SET 'table.exec.state.ttl' = '3 h';", "SET 'state.backend.type' = 'rocksdb';"
HINTED, HINT = PASSING.replace("start' = '1'", "start' = '900'"), "/*+ OPTIONS('fields.n.start' = '1') */"
ALL_KEPT = {
    "renamed": (COUNT, "CREATE VIEW w AS SELECT k AS key, n AS num FROM a; INSERT INTO o SELECT x, y, z FROM (SELECT MAX(num) AS x, COUNT(*) AS y, SUM(num) AS z FROM w GROUP BY key)"),
    "reordered": (COUNT, "INSERT INTO o SELECT x, y, z FROM (SELECT SUM(n) AS z, COUNT(*) AS y, k, MAX(n) AS x FROM a GROUP BY k)"),
    "filter behind": (COUNT, COUNT + " HAVING MOD(COUNT(*), 2) = 0"),
    "another sink": (COUNT, COUNT + "; INSERT INTO o2 SELECT n, g FROM a WHERE n > 5"),
    "one more aggregate": (COUNT, "INSERT INTO o2 SELECT g, MIN(n) FROM a GROUP BY g;" + COUNT),
    "one less aggregate": ("INSERT INTO o2 SELECT g, MIN(n) FROM a GROUP BY g;" + COUNT, COUNT),
    "one of two edited": ("INSERT INTO o2 SELECT k, MIN(n) FROM a GROUP BY k, g;" + COUNT, "INSERT INTO o2 SELECT k, MAX(n) FROM a GROUP BY k, g;" + COUNT),
    "longer expiry": (EXPIRING + COUNT, "SET 'table.exec.state.ttl' = '5 h';" + COUNT),
    "expiry on": (COUNT, EXPIRING + COUNT),
    "expiry off": (EXPIRING + ROCKS + COUNT, ROCKS + COUNT),
    "over": (OVER, "INSERT INTO o SELECT x, y, z FROM (" + OVER.removeprefix("INSERT INTO o ").replace("n, COUNT(*) OVER w, SUM(n) OVER w", "n AS x, COUNT(*) OVER w AS y, SUM(n) OVER w AS z") + ") WHERE MOD(x, 2) = 0"),
    "hint": (HINTED + COUNT.replace("FROM a", "FROM t " + HINT), HINTED + COUNT.replace("FROM a", "FROM t " + HINT + " WHERE n > 0")),
    "temporary": (PASSING + COUNT.replace("FROM a", "FROM t"), PASSING + COUNT.replace("FROM a", "FROM t WHERE n > 0")),
}  # fmt: skip


@pytest.mark.parametrize("name", ALL_KEPT)
def test_counts_go_on(upgrade: Upgrades, name: str) -> None:
    """Whatever is edited around it, the aggregate counts and sums on, exactly, from the row it stopped at."""
    old, new = ALL_KEPT[name]
    before, after, verdict = upgrade(old, new)
    assert exact(before), before
    assert exact(after), (str(verdict), after)
    assert 0 < after[0][0] - before[-1][0] <= 25


def test_mini_batches(upgrade: Upgrades) -> None:
    """An aggregate in two phases keeps what the second one holds."""
    before, after, _ = upgrade(BATCHES + COUNT, BATCHES + COUNT + " HAVING COUNT(*) > 3", rows=2)
    assert exact(before + after)
    assert after[0][0] > before[-1][0]


DROPPED: dict[str, tuple[str, str, Callable[[int, int], tuple[int, ...]]]] = {
    "sum to max": (COUNT, COUNT.replace("SUM", "MAX"), lambda first, n: (n, n - first + 1, n)),
    "another sum": (COUNT, COUNT.replace("SUM(n)", "SUM(n * 2)"), lambda first, n: (n, n - first + 1, 2 * (triangle(n) - triangle(first - 1)))),
}  # fmt: skip


@pytest.mark.parametrize("name", list(DROPPED))
def test_nothing_wrong_is_kept(upgrade: Upgrades, name: str) -> None:
    """What computes something else starts empty, from the row the source is at."""
    old, new, row = DROPPED[name]
    before, after, verdict = upgrade(old, new)
    first = before[-1][0] + 1
    assert after == [row(first, n) for n in range(first, first + len(after))], str(verdict)
    assert verdict.outcome == "lost"


def test_over_beside(upgrade: Upgrades) -> None:
    """A constant beside functions over a window is another one from the next row on, and they count on, exactly."""
    old = OVER.replace("SELECT n, COUNT(*) OVER w, SUM(n) OVER w", "SELECT COUNT(*) OVER w, SUM(n) OVER w, 7")
    before, after, verdict = upgrade(old, old.replace("w, 7", "w, 8"))
    assert verdict.outcome == "compatible"
    assert {r for _, _, r in before} == {7}
    assert {r for _, _, r in after} == {8}
    assert [(p, q) for p, q, _ in after] == [(n, triangle(n)) for n in range(before[-1][0] + 1, after[-1][0] + 1)]


def test_join(upgrade: Upgrades) -> None:
    """A filter between an aggregate and a join: both keep their state, a row read long ago still joins."""
    before, after, verdict = upgrade(JOINED, JOINED + " WHERE MOD(x.c, 2) = 0")
    assert all(row == (row[0], row[0], 7) for row in before + after), str(verdict)
    assert all(row[0] % 2 == 0 for row in after)
    assert after[0][0] > before[-1][0]


def test_join_of_rows(upgrade: Upgrades) -> None:
    """A filter in front of a join of rows: what was read before joins what is read now, once."""
    before, after, _ = upgrade(PAIRS, PAIRS + " WHERE MOD(a.n, 2) = 1")
    start = before[-1][0] + 1
    assert [p for p, _, _ in after] == list(range(start + 1 - start % 2, after[-1][0] + 1, 2))
    assert {r for _, _, r in after} == {7}


def test_join_more(upgrade: Upgrades) -> None:
    """One more join behind an aggregate: the aggregate goes on, the new join begins."""
    before, after, verdict = upgrade(COUNT, JOINED)
    assert verdict.outcome == "lost"
    assert after[0][1] == after[0][0] - before[-1][0]


def test_one_more_join(upgrade: Upgrades) -> None:
    """The same aggregate in front of a new join: every count is exact."""
    new = """INSERT INTO o SELECT x.n, x.c, x.s FROM (SELECT k, MAX(n) AS n, COUNT(*) AS c, SUM(n) AS s FROM a
        GROUP BY k) x JOIN b ON x.k = b.k"""
    before, after, verdict = upgrade(COUNT, new)
    assert exact(before + after)
    assert after[0][0] > before[-1][0]
    assert verdict.outcome == "partly"


@pytest.mark.parametrize("sql", [WINDOW, GROUPED, SESSION], ids=["window", "grouped", "session"])
def test_windows(upgrade: Upgrades, sql: str) -> None:
    """The window under way is kept: each holds its fifty rows, in a row, whatever is done with its result."""
    new = (
        "INSERT INTO o SELECT x, y, z FROM ("
        + sql.removeprefix("INSERT INTO o ").replace(
            "MAX(n), COUNT(*), SUM(n)", "MAX(n) AS x, COUNT(*) AS y, SUM(n) AS z"
        )
        + ") WHERE y > 0"
    )
    before, after, _ = upgrade(sql, new, rows=2)
    whole = (before + after)[1:]
    assert all(q == 50 for _, q, _ in whole), whole
    assert all(two[0] - one[0] == 50 for one, two in pairwise(whole)), whole


def test_deduplication(upgrade: Upgrades) -> None:
    """A key that was seen before the edit is not seen again."""
    new = FIRST.replace("n, g, n FROM", "n, g, n - g FROM")
    before, after, _ = upgrade(FIRST, new, rows=2)
    assert [p for p, _, _ in before + after] == [1, *range(50, (before + after)[-1][0] + 1, 50)]


def test_top(upgrade: Upgrades) -> None:
    """A Top-N goes on with the rows it had: the second place is that of the row before."""
    before, after, _ = upgrade(TOP, TOP.replace("n, i, g FROM", "n, i, g + 1 FROM"))
    start = before[-1][0] if before[-1][1] == 1 else max(p for p, q, _ in before if q == 1)
    assert {(p, q) for p, q, _ in after if p == start and q > 1} == {(start, 2), (start, 3)}


def test_interval_join(upgrade: Upgrades) -> None:
    """Rows wait for their partner across an edit."""
    before, after, _ = upgrade(SELF, SELF.replace("x.n - y.n FROM", "x.n - y.n + 1 FROM"), rows=10)
    assert [p for p, _, _ in before + after] == list(range(101, (before + after)[-1][0] + 1))


def test_chain(planner: Planner) -> None:
    """Ids are never used twice in a job, and an edit taken back does not bring old state back by accident."""
    scripts = [SOURCE + printing("chain") + sql for sql in (COUNT, COUNT.replace("SUM", "MAX"), COUNT)]
    first, second, third = (planner.compile(script, {}) for script in scripts)
    assert first
    assert second
    assert third
    once = match(first, second).plan
    twice = match(once, third).plan
    aggregates = [next(n["id"] for n in plan.nodes if "group-aggregate" in n["type"]) for plan in (first, once, twice)]
    assert len(set(aggregates)) == 3
    assert aggregates == sorted(aggregates)


def test_source(upgrade: Upgrades) -> None:
    """A source that is read faster, and with one more column, goes on with the next row."""
    wider = """CREATE TABLE a2 (n BIGINT, z BIGINT, k AS CAST(n - n AS INT)) WITH ('connector' = 'datagen',
        'rows-per-second' = '200', 'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '100000');"""
    new = wider + "INSERT INTO o2 SELECT n, z FROM a2;" + COUNT.replace("FROM a", "FROM a2")
    before, after, verdict = upgrade(COUNT, new)
    assert verdict.outcome == "compatible"
    assert exact(after)
    assert after[0][0] == before[-1][0] + 1


def test_branch(upgrade: Upgrades) -> None:
    """One more branch of a union is read from its beginning, the sum of all goes on."""
    one = "INSERT INTO o SELECT MAX(n), COUNT(*), SUM(n) FROM (SELECT k, n FROM a) GROUP BY k"
    new = one.replace("FROM a)", "FROM a UNION ALL SELECT k, m FROM b)")
    before, after, verdict = upgrade(one, new)
    assert verdict.outcome == "compatible"
    assert exact(before)
    assert after[-1] == (after[-1][0], after[-1][0] + 1, triangle(after[-1][0]) + 7)


def test_files(upgrade: Upgrades, tmp_path: Path) -> None:
    """A sink that commits with checkpoints keeps what it has under way: every row once, across an edit."""
    table = f"""CREATE TABLE f (n BIGINT, g BIGINT) WITH ('connector' = 'filesystem', 'path' = '{tmp_path.as_uri()}',
        'format' = 'csv');"""
    both = table + "INSERT INTO f SELECT n, g FROM a;" + COUNT
    before, _, verdict = upgrade(both, both.replace("n, g FROM a;", "n, g + 1 FROM a WHERE n > 0;"))
    assert verdict.outcome == "compatible"
    lines = [line for file in tmp_path.rglob("part-*") for line in file.read_text().split()]
    numbers = sorted(int(line.partition(",")[0]) for line in lines)
    assert len(numbers) >= before[-1][0]
    assert numbers == list(range(1, len(numbers) + 1))
