"""The reconciler on real Flink: jobs start, stop, go on exactly where they were, and survive a killed JVM."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.store import deployments, instances, intents, namespaces, runs, savepoints
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.deployments import Deployment
from flinkform.controlplane.store.runs import Run
from flinkform.flink.fleet import Fleet
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings
from tests.flink.conftest import until

COUNTING = """
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50', 'fields.n.kind' = 'sequence',
  'fields.n.start' = '1', 'fields.n.end' = '100000');
CREATE TABLE seen (total BIGINT, highest BIGINT) WITH ('connector' = 'print', 'print-identifier' = '{name}');
INSERT INTO seen SELECT COUNT(*), MAX(n) FROM numbers;
"""


@dataclass
class World:
    store: Store
    flink: Embedded
    loop: Loop
    home: Path

    def deploy(self, name: str, script: str = COUNTING, *, batch: bool = False) -> Deployment:
        document = {
            "artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": script.format(name=name)}},
            "executionMode": "BATCH" if batch else "STREAMING",
            "flinkConf": {"restart-strategy.type": "none"},
        }
        with self.store.write() as db:
            return deployments.create(
                db, name, workspace="w", namespace="n", name=name, document=document, creator="me", now=1
            )

    def start(self, deployment: Deployment, kind: str = "NONE") -> Run:
        with self.store.write() as db:
            run = intents.start(db, deployment, restore={"kind": kind}, creator="me", now=1)
        self.loop.wake()
        return run

    def stop(self, run: Run, strategy: str) -> None:
        with self.store.write() as db:
            intents.stop(db, self.fresh(run), strategy, creator="me", now=1)
        self.loop.wake()

    def fresh(self, run: Run) -> Run:
        with self.store.read() as db:
            found = runs.find(db, run.id)
        assert found is not None
        return found

    def wait(self, run: Run, state: str) -> Run:
        until(lambda: self.fresh(run).state in (state, *runs.ENDED))
        found = self.fresh(run)
        assert found.state == state, found.failure
        return found

    def counts(self, name: str) -> list[tuple[int, int]]:
        """Each (count, maximum) a job printed, in order; the two are equal as long as nothing is lost or doubled."""
        text = (self.home / "jvm.out").read_text() if (self.home / "jvm.out").exists() else ""
        found = re.findall(re.escape(name) + r"> \+[IU]\[(\d+), (\d+)\]", text)
        return [(int(count), int(highest)) for count, highest in found]


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Iterator[World]:
    store = Store.at(tmp_path / "home")
    with store.write() as db:
        instances.create(db, "f-1", workspace="w", name="main", region="r", document={}, now=1)
        namespaces.create(db, "f-1", "n", document={}, now=1)
    flink = Embedded(replace(settings, home=tmp_path / "flink"))
    loop = Loop(Bench(store, Fleet(lambda _: flink), tmp_path / "state"))
    loop.start()
    made = World(store, flink, loop, tmp_path / "flink")
    yield made
    made.loop.stop(rest=0)
    made.flink.stop()
    store.close()


def test_life_of_a_job(world: World) -> None:
    """Started, stopped with a savepoint, started from it with exact counts, its JVM killed, back with exact counts."""
    deployment = world.deploy("first")
    run = world.start(deployment)
    world.wait(run, "RUNNING")
    until(lambda: len(world.counts("first")) > 20)

    world.stop(run, "STOP_WITH_SAVEPOINT")
    world.wait(run, "CANCELLED")
    with world.store.read() as db:
        taken = savepoints.of_stops(db, [run.id])[run.id]
    assert taken.state == "COMPLETED"
    before = world.counts("first")[-1]

    run = world.start(deployment, "LATEST_SAVEPOINT")
    assert world.wait(run, "RUNNING").restored_from == taken.location
    until(lambda: world.counts("first")[-1] > before)
    after = [count for count in world.counts("first") if count > before]
    assert after[0] == (before[0] + 1, before[1] + 1)

    chk = world.home.parent / "state" / "checkpoints" / deployment.id / run.job_id
    until(lambda: list(chk.glob("chk-*/_metadata")))
    assert world.flink.pid is not None
    os.kill(world.flink.pid, signal.SIGKILL)
    until(lambda: world.fresh(run).state == "STARTING")
    found = world.wait(run, "RUNNING")
    assert found.restored_from is not None
    assert "/chk-" in found.restored_from
    highest = world.counts("first")[-1]
    until(lambda: world.counts("first")[-1] > highest)
    assert {count == highest for count, highest in world.counts("first")} == {True}
    assert list(world.flink.observe()) == [run.job_id]

    world.stop(run, "NONE")
    world.wait(run, "CANCELLED")


def test_rest(world: World, settings: Settings) -> None:
    """A control plane that ends and comes back has its jobs go on with the very next number."""
    run = world.start(world.deploy("resting"))
    world.wait(run, "RUNNING")
    until(lambda: len(world.counts("resting")) > 20)
    world.loop.stop()
    world.flink.stop()
    last = world.counts("resting")[-1]
    assert (world.fresh(run).intent, world.fresh(run).state) == ("RUN", "RUNNING")

    world.home = world.home.with_name("flink-again")
    world.flink = Embedded(replace(settings, home=world.home))
    world.loop = Loop(Bench(world.store, Fleet(lambda _: world.flink), world.home.with_name("state")))
    world.loop.start()
    until(lambda: world.counts("resting"))
    assert world.counts("resting")[0] == (last[0] + 1, last[1] + 1)
    world.wait(run, "RUNNING")


def test_batch_and_failures(world: World) -> None:
    """A batch job is FINISHED; a script Flink refuses and a job that fails are FAILED with what a person needs."""
    batch = world.deploy(
        "batch",
        "SET 'execution.runtime-mode' = 'batch';"
        "CREATE TABLE o (n INT) WITH ('connector' = 'blackhole'); INSERT INTO o VALUES (1), (2);",
        batch=True,
    )
    wrong = world.deploy("wrong", "CREATE TABLE o (n INT) WITH ('connector' = 'blackhole');\nINSERT INTO o SELECT x;")
    failing = world.deploy(
        "failing",
        "CREATE TABLE g (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');"
        "CREATE TABLE o (n INT) WITH ('connector' = 'blackhole'); INSERT INTO o SELECT n / (n - n) FROM g;",
    )
    finished, refused, failed = world.start(batch), world.start(wrong), world.start(failing)
    world.wait(finished, "FINISHED")
    failure = world.wait(refused, "FAILED").failure
    assert failure is not None
    assert failure["reason"].startswith("wrong:2:")
    failure = world.wait(failed, "FAILED").failure
    assert failure is not None
    assert "by zero" in failure["reason"] + failure["message"]
