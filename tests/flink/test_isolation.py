"""Jobs that are bad company on real Flink: the others pay once at most, and who does not learn is held."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

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
INSERT INTO nowhere SELECT LISTAGG(REPEAT(CAST(n AS STRING), 200000)) FROM numbers;
"""


ENDLESS = """
CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1', 'fields.n.min' = '50',
  'fields.n.max' = '60');
CREATE TABLE nowhere (s STRING) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT REGEXP_EXTRACT(REPEAT('x', n), '(x+x+)+\\1y') FROM numbers;
"""

FAILING = """
CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '10');
CREATE TABLE nowhere (n INT) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT n / (n - n) FROM numbers;
"""
EAGER = {"restart-strategy.fixed-delay.attempts": "1000000", "restart-strategy.fixed-delay.delay": "100 ms"}


@dataclass(frozen=True)
class World:
    """A reconciler with JVMs of real Flink."""

    store: Store
    fleet: Fleet
    loop: Loop

    def start(self, name: str, script: str, options: Mapping[str, str] = MappingProxyType({})) -> Run:
        document = {
            "artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": script}},
            "executionMode": "STREAMING",
            "flinkConf": dict(options),
        }
        with self.store.write() as db:
            made = deployments.create(
                db, name, workspace="w", namespace="n", name=name, document=document, creator="me", now=1
            )
            return intents.start(db, made, restore={"kind": "NONE"}, creator="me", now=1)

    def fresh(self, run: Run) -> Run:
        with self.store.read() as db:
            found = runs.find(db, run.id)
        assert found is not None
        return found

    def told(self, run: Run, name: str) -> int:
        """How often an event was told of a run."""
        with self.store.read() as db:
            return sum(one.name == name for one in events.page(db, "w", "n", run_id=run.id, limit=1000).items)


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[World]:
    store = Store.at(tmp_path / "home")
    with store.write() as db:
        instances.create(db, "f-1", workspace="w", name="main", region="r", document={}, now=1)
        namespaces.create(db, "f-1", "n", document={}, now=1)
    usual = replace(settings, home=tmp_path / "flink", heap="256m", logs=tmp_path / "logs")
    fleet = Fleet(lambda seat: Embedded(replace(usual, home=usual.home / seat.folder)))
    loop = Loop(Bench(store, fleet, tmp_path / "state", limit=Limit(failures=5, deaths=2, stuck=2000)))
    loop.start()
    yield World(store, fleet, loop)
    loop.stop(rest=0)
    fleet.stop()
    store.close()


def test_out_of_memory(world: World) -> None:
    """The oldest of three jobs kills their JVM, is found, dies alone the second time, and is held. The others run."""
    hungry = world.start("hungry", HUNGRY)
    good = [world.start(name, GOOD) for name in ("one", "two")]
    until(lambda: world.told(hungry, "JOB_ISOLATED"), seconds=180)
    until(lambda: not world.fresh(hungry).live, seconds=180)
    failure = world.fresh(hungry).failure
    assert failure is not None
    assert failure["reason"].startswith("quarantined after 2 deaths of its JVM in 10 minutes: Flink ran out of memory")
    until(lambda: all(world.fresh(run).state == "RUNNING" for run in good))
    assert max(world.told(run, "JOB_RECOVERED") for run in good) <= 1
    assert set(world.fleet.at(SHARED).observe()) == {run.job_id for run in good}
    until(lambda: not world.fleet.at(Seat(group="hungry")).alive)


def test_flapping_and_endless_loops(world: World) -> None:
    """A job that fails at once whenever it runs is quarantined; one whose task hears nothing is cancelled all the same.

    Their neighbour goes on from its newest checkpoint.
    """
    flapping = world.start("flapping", FAILING, {"restart-strategy.type": "fixed-delay", **EAGER})
    endless, good = world.start("endless", ENDLESS), world.start("good", GOOD)
    until(lambda: world.fresh(endless).state == world.fresh(good).state == "RUNNING", seconds=180)
    until(lambda: not world.fresh(flapping).live, seconds=180)
    failure = world.fresh(flapping).failure
    assert failure is not None
    assert re.match(r"quarantined after \d+ failures in 10 minutes: .*by zero", failure["reason"])
    assert world.told(flapping, "JOB_QUARANTINED") == 1
    with world.store.write() as db:
        intents.stop(db, world.fresh(endless), "NONE", creator="me", now=1)
    until(lambda: world.fresh(endless).state == "CANCELLED", seconds=180)
    assert world.told(endless, "JOB_ISOLATED") == 1
    until(lambda: world.told(good, "JOB_RECOVERED") and world.fresh(good).state == "RUNNING", seconds=180)
    assert list(world.fleet.at(SHARED).observe()) == [good.job_id]
