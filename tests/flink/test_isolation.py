"""One job exhausts the heap of a JVM that it shares: the others pay once at most, it goes on alone or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.reconcile.quarantine import Limit
from flinkform.controlplane.store import deployments, events, instances, intents, namespaces, runs
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.runs import Run
from flinkform.flink.fleet import SHARED, Fleet, Seat
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings
from tests.flink.conftest import until

GOOD = """
CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '10');
CREATE TABLE nowhere (n INT) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT n FROM numbers;
"""
HUNGRY = """
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '200', 'fields.n.min' = '1');
CREATE TABLE nowhere (s STRING) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT LISTAGG(REPEAT(CAST(n AS STRING), 20000)) FROM numbers;
"""


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[tuple[Store, Fleet, Loop]]:
    store = Store.at(tmp_path / "home")
    with store.write() as db:
        instances.create(db, "f-1", workspace="w", name="main", region="r", document={}, now=1)
        namespaces.create(db, "f-1", "n", document={}, now=1)
    usual = replace(settings, home=tmp_path / "flink", heap="256m", logs=tmp_path / "logs")
    fleet = Fleet(lambda seat: Embedded(replace(usual, home=usual.home / seat.folder)))
    loop = Loop(Bench(store, fleet, tmp_path / "state", limit=Limit(deaths=2)))
    loop.start()
    yield store, fleet, loop
    loop.stop(rest=0)
    fleet.stop()
    store.close()


def start(store: Store, name: str, script: str) -> Run:
    document = {
        "artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": script}},
        "executionMode": "STREAMING",
    }
    with store.write() as db:
        made = deployments.create(
            db, name, workspace="w", namespace="n", name=name, document=document, creator="me", now=1
        )
        return intents.start(db, made, restore={"kind": "NONE"}, creator="me", now=1)


def test_out_of_memory(world: tuple[Store, Fleet, Loop]) -> None:
    """The oldest of three jobs kills their JVM, is found, dies alone the second time, and is held. The others run."""
    store, fleet, loop = world

    def fresh(run: Run) -> Run:
        with store.read() as db:
            found = runs.find(db, run.id)
        assert found is not None
        return found

    def told(run: Run, name: str) -> int:
        with store.read() as db:
            return sum(one.name == name for one in events.page(db, "w", "n", run_id=run.id, limit=1000).items)

    hungry = start(store, "hungry", HUNGRY)
    good = [start(store, name, GOOD) for name in ("one", "two")]
    loop.wake()
    until(lambda: told(hungry, "JOB_ISOLATED"), seconds=120)
    until(lambda: not fresh(hungry).live, seconds=120)
    failure = fresh(hungry).failure
    assert failure is not None
    assert failure["reason"].startswith("quarantined after 2 deaths of its JVM in 10 minutes: Flink ran out of memory")
    until(lambda: all(fresh(run).state == "RUNNING" for run in good))
    assert [told(run, "JOB_RECOVERED") for run in good] <= [1, 1]
    assert set(fleet.at(SHARED).observe()) == {run.job_id for run in good}
    assert not fleet.at(Seat(group="hungry")).alive
