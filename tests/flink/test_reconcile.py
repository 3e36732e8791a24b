"""The reconciler on real Flink: jobs start, stop, go on exactly where they were, and survive a killed JVM."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.controlplane.reconcile.absent import Absent
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.store import instances, namespaces, savepoints
from flinkform.controlplane.store.database import Store
from flinkform.flink.fleet import Fleet
from flinkform.flink.runtime import Embedded
from flinkform.flink.session import Remote, Session
from flinkform.flink.settings import Settings
from tests.flink.conftest import until
from tests.flink.programs import Jars
from tests.flink.standalone import Standalone
from tests.flink.world import World

BOTH = ("embedded", "session")
TARGET = "big"


@contextmanager
def governed(flink: Embedded, home: Path, folder: Path) -> Iterator[World]:
    """A store and a reconciler over *flink*, which runs in *home*."""

    def crash() -> None:
        now = made.flink  # a test may have given it another
        assert isinstance(now, Embedded)
        assert now.pid is not None
        os.kill(now.pid, signal.SIGKILL)

    with stored(folder) as store:
        loop = Loop(Bench(store, Fleet(lambda _: flink), folder / "state"))
        made = World(store, flink, loop, home, home / "jvm.out", crash)
        made.loop.start()
        yield made
        made.loop.stop(rest=0)


@contextmanager
def elsewhere(cluster: Standalone, planner: Embedded, settings: Settings, folder: Path) -> Iterator[World]:
    """The same over a session cluster, whose job manager dies and comes back knowing nothing."""
    storage = (folder / "state").as_uri()
    remote = Remote(name=TARGET, url=cluster.url, storage=storage, timeout=60)
    flink = Session(remote, planner.gateway, replace(settings, home=folder / "session"))
    fleet = Fleet(lambda seat: flink if seat.target else Absent("all of it is somewhere else"))

    def crash() -> None:
        cluster.kill("manager")
        cluster.begin("manager")

    with stored(folder) as store:
        loop = Loop(Bench(store, fleet, folder / "here", stores={TARGET: storage}))
        made = World(store, flink, loop, folder / "flink", cluster.output, crash, TARGET)
        made.loop.start()
        yield made
        made.loop.stop(rest=0)
        for job_id, seen in flink.observe().items():
            if not seen.state.final:
                flink.cancel(job_id)
        flink.stop()


@contextmanager
def stored(folder: Path) -> Iterator[Store]:
    store = Store.at(folder / "home")
    with store.write() as db:
        instances.create(db, "f-1", workspace="w", name="main", region="r", document={}, now=1)
        namespaces.create(db, "f-1", "n", document={}, now=1)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture(params=BOTH)
def world(request: pytest.FixtureRequest, flink: Embedded, settings: Settings, tmp_path: Path) -> Iterator[World]:
    """One over the Flink that all tests share, and one over a session cluster."""
    if request.param == "embedded":
        with governed(flink, settings.home / "cluster", tmp_path) as made:
            yield made
    else:
        with elsewhere(request.getfixturevalue("cluster"), flink, settings, tmp_path) as made:
            yield made


@pytest.fixture(scope="module", params=BOTH)
def mortal(
    request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """One over a Flink that its tests may kill."""
    folder = tmp_path_factory.mktemp("mortal")
    if request.param == "embedded":
        own = Embedded(replace(settings, home=folder / "flink"))
        with governed(own, folder / "flink", folder) as made:
            yield made
        made.flink.stop()
    else:
        cluster, planner = request.getfixturevalue("cluster"), request.getfixturevalue("flink")
        with elsewhere(cluster, planner, settings, folder) as made:
            yield made


def test_life_of_a_job(mortal: World) -> None:
    """Started, stopped with a savepoint, started from it with exact counts, Flink killed, back with exact counts."""
    deployment = mortal.deploy("first")
    run = mortal.start(deployment)
    mortal.wait(run, "RUNNING")
    until(lambda: len(mortal.counts("first")) > 20)

    mortal.stop(run, "STOP_WITH_SAVEPOINT")
    mortal.wait(run, "CANCELLED")
    with mortal.store.read() as db:
        taken = savepoints.of_stops(db, [run.id])[run.id]
    assert taken.state == "COMPLETED"
    before = mortal.counts("first")[-1]

    run = mortal.start(deployment, "LATEST_SAVEPOINT")
    assert mortal.wait(run, "RUNNING").restored_from == taken.location
    until(lambda: mortal.counts("first")[-1] > before)
    after = [count for count in mortal.counts("first") if count > before]
    assert after[0] == (before[0] + 1, before[1] + 1)

    chk = mortal.home.parent / "state" / "checkpoints" / deployment.id / run.job_id
    until(lambda: list(chk.glob("chk-*/_metadata")))
    mortal.crash()
    until(lambda: "JOB_RECOVERED" in mortal.told(run))
    found = mortal.wait(run, "RUNNING")
    assert found.restored_from is not None
    assert "/chk-" in found.restored_from
    highest = mortal.counts("first")[-1]
    until(lambda: mortal.counts("first")[-1] > highest)
    assert {count == highest for count, highest in mortal.counts("first")} == {True}
    assert [job_id for job_id, seen in mortal.flink.observe().items() if not seen.state.final] == [run.job_id]

    mortal.stop(run, "NONE")
    mortal.wait(run, "CANCELLED")


@pytest.mark.parametrize("mortal", ["embedded"], indirect=True)
def test_rest(mortal: World, settings: Settings) -> None:
    """A control plane that ends and comes back has its jobs go on with the very next number."""
    run = mortal.start(mortal.deploy("resting"))
    mortal.wait(run, "RUNNING")
    until(lambda: len(mortal.counts("resting")) > 20)
    mortal.loop.stop()
    mortal.flink.stop()
    last = mortal.counts("resting")[-1]
    assert (mortal.fresh(run).intent, mortal.fresh(run).state) == ("RUN", "RUNNING")

    mortal.home = mortal.home.with_name("flink-again")
    mortal.output = mortal.home / "jvm.out"
    mortal.flink = Embedded(replace(settings, home=mortal.home))
    mortal.loop = Loop(Bench(mortal.store, Fleet(lambda _: mortal.flink), mortal.home.with_name("state")))
    mortal.loop.start()
    until(lambda: mortal.counts("resting"))
    assert mortal.counts("resting")[0] == (last[0] + 1, last[1] + 1)
    mortal.wait(run, "RUNNING")
    mortal.stop(run, "NONE")
    mortal.wait(run, "CANCELLED")


def test_program(world: World, jars: Jars) -> None:
    """A program in a jar counts on, exactly, under another one that needs a second jar; and after a crash."""
    one = {"jarUri": jars.counting.as_uri(), "mainArgs": "counted"}
    deployment = world.deploy("counted", jar=one)
    first = world.start(deployment)
    world.wait(first, "RUNNING")
    until(lambda: len(world.counts("counted")) > 20)
    world.stop(first, "STOP_WITH_SAVEPOINT")
    world.wait(first, "CANCELLED")
    before = len(world.counts("counted"))
    other = {**one, "mainArgs": "counted wider", "additionalDependencies": [jars.extra.as_uri()]}
    second = world.start(world.edit(deployment, jar=other), "LATEST_STATE")
    world.wait(second, "RUNNING")
    until(lambda: len(world.counts("counted")) > before + 100)
    assert world.counts("counted") == [(n, n) for n in range(1, len(world.counts("counted")) + 1)]

    world.crash()
    until(lambda: "JOB_RECOVERED" in world.told(second))
    seen = max(world.counts("counted"))[0]
    until(lambda: max(world.counts("counted"))[0] > seen + 50)
    assert {count == highest for count, highest in world.counts("counted")} == {True}
    assert max(world.counts("counted"))[0] > before
    world.stop(second, "NONE")
    world.wait(second, "CANCELLED")


KEYED = """
CREATE TABLE numbers (n BIGINT, pt AS PROCTIME()) WITH ('connector' = 'datagen', 'rows-per-second' = '{rate}',
  'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '20000');
CREATE TABLE counted (k BIGINT, c BIGINT) WITH ('connector' = 'filesystem', 'path' = '{out}', 'format' = 'csv');
INSERT INTO counted SELECT n % 5, COUNT(*) OVER (PARTITION BY n % 5 ORDER BY pt) FROM numbers;
"""


def test_parallelism_while_it_runs(world: World, tmp_path: Path) -> None:
    """From 1 to 3 to 1 under one Flink job id; what the sink committed in the end has every count of every key once.

    More than there are slots is refused, and changes nothing. The rest of the numbers comes fast, after an edit.
    """
    out = tmp_path / "out"
    script = KEYED.replace("{out}", out.as_uri())
    deployment = world.deploy("rescaled", script.replace("{rate}", "100"))
    before = world.flink.observe().keys()
    run = world.start(deployment)
    world.wait(run, "RUNNING")
    until(lambda: rows(out))

    refused = world.rescale(run, 99)
    assert refused.failure is not None
    assert re.match(r"(rescaled|the job) needs 99 slots and (11 of 12|7 of 8) are free; ", refused.failure["reason"])
    assert set(world.vertices(run)) == {1}
    for wanted in (3, 1):
        assert world.rescale(run, wanted).failure is None
        assert set(world.vertices(run)) == {wanted}
        seen = len(rows(out))
        until(lambda seen=seen: len(rows(out)) > seen)

    assert world.flink.observe().keys() - before == {run.job_id}
    assert world.fresh(run).restored_from is None
    world.stop(run, "STOP_WITH_SAVEPOINT")
    world.wait(run, "CANCELLED")
    assert len(rows(out)) < 20_000
    run = world.start(world.edit(deployment, script.replace("{rate}", "100000")), "LATEST_SAVEPOINT")
    world.wait(run, "FINISHED")
    assert sorted(rows(out)) == sorted((key, count) for key in range(5) for count in range(1, 4001))


def rows(folder: Path) -> list[tuple[int, int]]:
    """What a filesystem table has committed; files under way begin with a dot."""
    lines = [line for file in folder.glob("[!._]*") for line in file.read_text().split()]
    return [(int(key), int(count)) for key, count in (line.split(",") for line in lines)]


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
