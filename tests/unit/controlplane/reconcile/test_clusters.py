"""Session clusters on their way: a JVM of the right configuration, or none, and jobs that outlive its end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flinkform.controlplane.reconcile.clusters import place, step
from flinkform.controlplane.reconcile.observe import Health
from flinkform.controlplane.store import clusters, things
from flinkform.controlplane.store.clusters import Cluster
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.things import Thing
from flinkform.errors import Missing
from flinkform.flink.values import Phase
from tests.unit.controlplane.reconcile.conftest import NS, WS, World
from tests.unit.controlplane.reconcile.fake import FakeRuntime


def cluster(world: World, state: str = "STARTING") -> Cluster:
    """A cluster that was asked to be in a state."""
    with world.store.write() as db:
        made = Cluster(
            id="c-1", workspace=WS, namespace=NS, name="shared", revision=1, state=state, since=world.clock()
        )
        clusters.add(db, made)
    return made


def fresh(world: World) -> Cluster:
    with world.store.read() as db:
        found = clusters.find(db, "c-1")
    assert found is not None
    return found


def ask(world: World, **values: Any) -> None:
    with world.store.write() as db:
        assert clusters.change(db, fresh(world), values)


def jvm(world: World) -> FakeRuntime:
    return world.others[place(fresh(world))]


def job(world: World) -> Run:
    """A job that runs in the cluster."""
    deployment = world.deployment("sharing", deploymentTarget={"mode": "SESSION", "name": "shared"})
    run = world.ask_start(deployment, changes={"runtime": fresh(world).runtime})
    world.tick(2)
    jvm(world).see(run.job_id, Phase.RUNNING)
    world.tick()
    assert world.fresh(run).state == "RUNNING"
    return run


def test_starts_and_stops(world: World) -> None:
    """A cluster that is asked to run gets a JVM, even without a job; one that is asked to stop has none at once."""
    cluster(world)
    world.tick(3)
    assert (fresh(world).state, jvm(world).alive) == ("RUNNING", True)
    world.tick(2, later=120_000)
    assert jvm(world).alive
    ask(world, state="STOPPING")
    world.tick(2)
    assert (fresh(world).state, jvm(world).alive) == ("STOPPED", False)
    assert world.flink.alive


def test_another_revision(world: World) -> None:
    """A cluster of another configuration gets a JVM that is made anew, and its job goes on from its checkpoint."""
    cluster(world)
    world.tick(3)
    run, before = job(world), jvm(world)
    chk = before.checkpoint(run.job_id)
    world.others.clear()
    ask(world, state="UPDATING", revision=2)
    world.tick(4)
    assert fresh(world).state == "RUNNING"
    assert (before.alive, jvm(world).alive) == (False, True)
    assert jvm(world).jobs[run.job_id].submission.restore == chk
    assert world.flink.asked("submit") == []


def test_death(world: World) -> None:
    """A cluster whose JVM was killed starts again with its jobs, which go on from their checkpoints."""
    cluster(world)
    world.tick(3)
    run = job(world)
    chk = jvm(world).checkpoint(run.job_id)
    jvm(world).crash()
    world.tick()
    assert fresh(world).state == "STARTING"
    world.tick(8)
    assert fresh(world).state == "RUNNING"
    assert jvm(world).jobs[run.job_id].submission.restore == chk
    assert "JOB_RECOVERED" in world.told(run)


def test_control_plane_dies(world: World) -> None:
    """After a kill of the control plane every cluster that shall run does so again, whatever it was on its way to."""
    cluster(world)
    world.tick(3)
    run = job(world)
    ask(world, state="UPDATING", revision=2)
    world.restart_controlplane()
    world.tick(6)
    assert fresh(world).state == "RUNNING"
    assert run.job_id in jvm(world).jobs
    ask(world, state="STOPPING")
    world.restart_controlplane()
    world.tick(2)
    assert fresh(world).state == "STOPPED"


def test_cannot_start(world: World) -> None:
    """A cluster that cannot be started is FAILED and says why; asked again, it tries again."""
    cluster(world)
    bad = FakeRuntime(start_error=Missing("Flink 1.20 is not installed"))
    world.others[place(fresh(world))] = bad
    world.tick(3)
    assert fresh(world).state == "FAILED"
    assert fresh(world).failure is not None
    assert "Flink 1.20 is not installed" in (fresh(world).failure or {})["message"]
    bad.start_error = None
    ask(world, state="STARTING")
    world.tick(3)
    assert fresh(world).state == "RUNNING"


def test_deleted(world: World) -> None:
    """The JVM of a cluster that is gone, with its namespace or without, ends."""
    cluster(world)
    world.tick(3)
    running = jvm(world)
    with world.store.write() as db:
        clusters.remove(db, fresh(world))
    world.tick()
    assert not running.alive


def test_levels(world: World) -> None:
    """The loggers of a cluster say what it wants while it runs, without a job too, and a job of it may want more."""
    logging = {"log4jLoggers": [{"loggerName": "root", "loggerLevel": "WARN"}]}
    made_of = Thing(
        type="session_cluster",
        workspace=WS,
        namespace=NS,
        id="shared",
        name="shared",
        creator="",
        modifier="",
        created_at=0,
        modified_at=0,
        document={"logging": logging},
    )
    cluster(world)
    with world.store.write() as db:
        things.create(db, made_of)
    world.tick(4)
    assert jvm(world).loud == {"": "WARN"}
    with world.store.write() as db:
        things.replace(db, replace(made_of, document={}))
    world.tick(2)
    assert jvm(world).loud == {}


@pytest.mark.parametrize(
    ("state", "health", "gone", "after"),
    [
        ("STOPPED", None, True, "STOPPED"),
        ("STARTING", None, False, "STARTING"),
        ("STARTING", Health(), False, "STARTING"),
        ("STARTING", Health("life"), False, "RUNNING"),
        ("STARTING", Health(reason="no java"), False, "FAILED"),
        ("UPDATING", Health("life"), False, "RUNNING"),
        ("RUNNING", Health("life"), False, "RUNNING"),
        ("RUNNING", Health(), False, "STARTING"),
        ("STOPPING", Health("life"), False, "STOPPING"),
        ("STOPPING", None, True, "STOPPED"),
        ("FAILED", None, True, "FAILED"),
    ],
)
def test_step(state: str, health: Health | None, gone: bool, after: str) -> None:
    """Each state goes on by what is seen of its JVM."""
    assert step(state, health, gone=gone) == after
