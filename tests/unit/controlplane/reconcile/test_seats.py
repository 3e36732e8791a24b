"""Jobs with a JVM of their own: started where they sit, and no trouble of one JVM is another's."""

from __future__ import annotations

from flinkform.controlplane.store.runs import Run
from flinkform.flink.fleet import Seat
from flinkform.flink.values import Phase
from tests.unit.controlplane.reconcile.conftest import World
from tests.unit.controlplane.reconcile.fake import FakeRuntime

OWN = {"flinkform.isolation": "own"}


def alone(world: World, name: str = "alone") -> tuple[Run, FakeRuntime]:
    """A job that runs in a JVM of its own, and that JVM."""
    run = world.ask_start(world.deployment(name, flinkConf=OWN))
    world.tick(3)
    flink = world.others[Seat(group=f"d-{name}")]
    flink.see(run.job_id, Phase.RUNNING)
    world.tick()
    assert world.fresh(run).state == "RUNNING"
    return run, flink


def test_own_jvm(world: World) -> None:
    """A job that asks for its own JVM runs there, the others where they always do; both are stopped where they are."""
    other = world.running(world.deployment("other"))
    run, flink = alone(world)
    assert (list(world.flink.jobs), list(flink.jobs)) == ([other.job_id], [run.job_id])
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    flink.finish_savepoint()
    world.tick(2)
    assert world.fresh(run).state == "CANCELLED"
    assert world.flink.asked("savepoint") == []


def test_engine(world: World) -> None:
    """The jobs of another engine share a JVM of that engine; the usual engine's name changes nothing."""
    runs = {}
    for name, engine in (("old", "1.20"), ("older", "1.20"), ("usual", "2.3")):
        runs[name] = world.ask_start(world.deployment(name, engineVersion=f"vvr-flinkform-flink-{engine}"))
    world.tick(3)
    assert set(world.others[Seat(engine="1.20")].jobs) == {runs["old"].job_id, runs["older"].job_id}
    assert list(world.flink.jobs) == [runs["usual"].job_id]


def test_deaths_stay_apart(world: World) -> None:
    """The death of one JVM restarts its jobs alone, each from its newest checkpoint."""
    other = world.running(world.deployment("other"))
    run, flink = alone(world)
    place = flink.checkpoint(run.job_id)
    flink.crash()
    world.tick(8)
    assert flink.jobs[run.job_id].submission.restore == place
    assert len(world.flink.asked("submit")) == 1
    flink.see(run.job_id, Phase.RUNNING)
    world.flink.crash()
    world.tick(8)
    assert len(flink.asked("submit")) == 2
    assert list(world.flink.jobs) == [other.job_id]


def test_unneeded_jvm_ends(world: World) -> None:
    """A JVM of one job ends a minute after the job, and comes back with it; the shared one stays."""
    run, flink = alone(world)
    world.ask_stop(run)
    world.tick()
    flink.see(run.job_id, Phase.CANCELED)
    world.tick(2)
    assert flink.alive
    world.tick(3, later=60_000)
    assert (flink.alive, world.flink.alive) == (False, True)
    again, _ = alone(world, "alone2")
    assert world.fresh(again).state == "RUNNING"


def test_options_that_make_no_sense(world: World) -> None:
    """A job whose options no JVM can satisfy fails and says which."""
    run = world.ask_start(world.deployment(flinkConf={"flinkform.isolation": "alone"}))
    world.tick(2)
    found = world.fresh(run)
    assert found.state == "FAILED"
    assert found.failure is not None
    assert found.failure["reason"] == "expected flinkform.isolation to be shared or own, got 'alone'"


def test_job_in_the_wrong_jvm(world: World) -> None:
    """A job that runs where it does not belong is cancelled there, and only there."""
    run, flink = alone(world)
    world.flink.jobs[run.job_id] = flink.jobs[run.job_id]
    world.tick()
    assert world.flink.asked("cancel") == [("cancel", run.job_id)]
    assert flink.asked("cancel") == []


def test_rest_of_all(world: World) -> None:
    """A control plane that ends puts the jobs of every JVM to rest."""
    shared = world.running(world.deployment("other"))
    run, flink = alone(world)

    def pause() -> None:
        for one in (world.flink, flink):
            one.finish_savepoint()

    world.end_controlplane(pause)
    assert world.flink.asked("savepoint") == [("savepoint", shared.job_id, "stop")]
    assert flink.asked("savepoint") == [("savepoint", run.job_id, "stop")]
    assert not flink.alive
