# ruff: noqa: S608 -- scripts are made of parts
"""Jobs between real Kafka and real PostgreSQL: upgraded twice, killed once, and every row is counted once."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from flinkform.errors import Missing, Unavailable
from flinkform.flink import connectors
from tests.flink.plane import Plane, plane, wait
from tests.flink.services import CACHE, kafka
from tests.postgresql import Postgres, postgres, programs

ROWS, KEYS = 5000, 10
HEAVY = os.environ.get("FLINKFORM_HEAVY") == "1"
EXACT = "'sink.delivery-guarantee' = 'exactly-once', 'properties.transaction.timeout.ms' = '60000'"
OPTIONS = {"execution.checkpointing.interval": "1 s", "restart-strategy.type": "none"}

GENERATE = """
CREATE TABLE numbers (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{last}');
CREATE TABLE seen (id BIGINT, k BIGINT) WITH ('connector' = 'kafka', 'topic' = 'seen', 'format' = 'json',
  'properties.bootstrap.servers' = '{broker}', {exact}, 'sink.transactional-id-prefix' = 'generate');
INSERT INTO seen SELECT id, MOD(id, {keys}) FROM numbers;
"""
SEEN = """
CREATE TABLE seen (id BIGINT, k BIGINT, pt AS PROCTIME()) WITH ('connector' = 'kafka', 'topic' = 'seen',
  'format' = 'json', 'properties.bootstrap.servers' = '{broker}', 'scan.startup.mode' = 'earliest-offset',
  'properties.isolation.level' = 'read_committed');
"""
NUMBER = (
    SEEN
    + """
CREATE TABLE numbered (id BIGINT, k BIGINT, n BIGINT, note BIGINT) WITH ('connector' = 'kafka', 'topic' = 'numbered',
  'format' = 'json', 'properties.bootstrap.servers' = '{broker}', {exact}, 'sink.transactional-id-prefix' = 'number');
INSERT INTO numbered SELECT id, k, COUNT(*) OVER w, COUNT(*) OVER w + {note} FROM seen
  WINDOW w AS (PARTITION BY k ORDER BY pt ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);
"""
)
TOTAL = (
    SEEN
    + """
CREATE TABLE totals (k BIGINT, rows_seen BIGINT, total BIGINT, note BIGINT, PRIMARY KEY (k) NOT ENFORCED) WITH (
  'connector' = 'jdbc', 'url' = '{url}', 'table-name' = 'totals', 'username' = 'postgres', 'password' = 'none',
  'sink.buffer-flush.interval' = '200 ms');
INSERT INTO totals SELECT k, COUNT(*), SUM(id), {note} FROM seen GROUP BY k;
"""
)
CHECK = """
SET 'execution.runtime-mode' = 'batch';
CREATE TABLE numbered (id BIGINT, k BIGINT, n BIGINT, note BIGINT) WITH ('connector' = 'kafka', 'topic' = 'numbered',
  'format' = 'json', 'properties.bootstrap.servers' = '{broker}', 'scan.startup.mode' = 'earliest-offset',
  'scan.bounded.mode' = 'latest-offset', 'properties.isolation.level' = 'read_committed');
CREATE TABLE found (c BIGINT, ids BIGINT, pairs BIGINT, highest BIGINT, notes BIGINT) WITH (
  'connector' = 'filesystem', 'path' = '{out}', 'format' = 'csv');
INSERT INTO found SELECT COUNT(*), COUNT(DISTINCT id), COUNT(DISTINCT k * 1000000 + n), MAX(n), COUNT(DISTINCT note - n)
  FROM numbered;
"""


@pytest.fixture(scope="module")
def broker(java: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    assert java
    try:
        for name in ("kafka", "jdbc"):
            connectors.install(CACHE / "connectors", name, engine="2.3", say=lambda _: None)
        with kafka(tmp_path_factory.mktemp("kafka") / "broker") as address:
            yield address
    except (Missing, Unavailable) as error:
        pytest.skip(f"no Kafka to be had: {error}")


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    found = programs()
    if programs is None:
        pytest.skip("no PostgreSQL on this machine")
    with postgres(found) as made:
        made.query("CREATE TABLE totals (k BIGINT PRIMARY KEY, rows_seen BIGINT, total BIGINT, note BIGINT)")
        yield made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Plane]:
    """A control plane whose connectors are installed only once Flink runs."""
    with plane(tmp_path / "home") as made:
        yield made


def upgrade(served: Plane, deployment: str, job: str, script: str) -> str:
    """Stop with a savepoint, edit, and start from it."""
    served.stop(job, "STOP_WITH_SAVEPOINT")
    assert served.until(job) == "CANCELLED", served.reason(job)
    served.edit(deployment, script)
    again = served.start(deployment, "LATEST_SAVEPOINT")
    assert served.until(again, "RUNNING") == "RUNNING", served.reason(again)
    return again


def kill(served: Plane, database: Postgres, jobs: Collection[str]) -> None:
    """Kill the JVM while rows flow; every job comes back."""
    before = int(database.query("SELECT sum(rows_seen) FROM totals"))
    wait(lambda: int(database.query("SELECT sum(rows_seen) FROM totals")) > before, "more rows")
    served.kill()
    for job in jobs:
        wait(lambda: served.state(job) != "RUNNING", "the death to be seen")  # noqa: B023 -- called at once
    for job in jobs:
        assert served.until(job, "RUNNING") == "RUNNING", served.reason(job)


def link(served: Plane) -> None:
    (served.home / "connectors").symlink_to(CACHE / "connectors")


@pytest.mark.skipif(not HEAVY, reason="takes two minutes: make kafka")
def test_exact(served: Plane, broker: str, database: Postgres, tmp_path: Path) -> None:
    """From Kafka to Kafka and into PostgreSQL, installed without a restart, upgraded in place twice, killed once."""
    words = {"broker": broker, "exact": EXACT, "keys": KEYS, "last": ROWS - 1, "url": database.url}
    early = served.deploy("early", GENERATE.format(**words))
    refused = served.start(early)
    assert served.until(refused) == "FAILED"
    assert "`flinkform connectors install kafka` brings it" in served.reason(refused)
    link(served)

    generate = served.start(served.deploy("generate", GENERATE.format(**words), options=OPTIONS))
    assert served.until(generate, "RUNNING") == "RUNNING", served.reason(generate)
    scripts = {"number": NUMBER, "total": TOTAL}
    made = {
        name: served.deploy(name, script.format(**words, note=0), options=OPTIONS) for name, script in scripts.items()
    }
    jobs = {name: served.start(deployment) for name, deployment in made.items()}
    for job in jobs.values():
        assert served.until(job, "RUNNING") == "RUNNING", served.reason(job)

    for note in (1, 2):
        wait(lambda: database.query("SELECT count(*) FROM totals") != "0", "the first totals")
        for name, script in scripts.items():
            jobs[name] = upgrade(served, made[name], jobs[name], script.format(**words, note=note))
        if note == 1:
            kill(served, database, list(jobs.values()))

    assert served.until(generate, seconds=240) == "FINISHED", served.reason(generate)
    wait(lambda: database.query("SELECT sum(rows_seen) FROM totals") == str(ROWS), "every row")
    per_key = ROWS // KEYS
    assert database.query("SELECT count(*), min(rows_seen), max(rows_seen), sum(total) FROM totals") == (
        f"{KEYS}|{per_key}|{per_key}|{ROWS * (ROWS - 1) // 2}"
    )
    for name in scripts:
        served.stop(jobs[name], "STOP_WITH_SAVEPOINT")
        assert served.until(jobs[name]) == "CANCELLED", served.reason(jobs[name])
    out = tmp_path / "found"
    check = served.start(served.deploy("check", CHECK.format(broker=broker, out=out.as_uri()), batch=True))
    assert served.until(check) == "FINISHED", served.reason(check)
    found = "".join(path.read_text() for path in out.rglob("*") if path.is_file())
    assert re.findall(r"\d+", found) == [str(n) for n in (ROWS, ROWS, ROWS, per_key, 3)]
