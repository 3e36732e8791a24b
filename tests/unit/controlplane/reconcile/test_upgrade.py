"""An edit of a running job in which something goes wrong on the way: state is kept, and one job runs in the end."""

from __future__ import annotations

import pytest

from flinkform.controlplane.store import runs
from flinkform.controlplane.store.deployments import Deployment
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Conflict
from flinkform.flink.plan import Plan
from flinkform.flink.values import Diagnosis, Phase
from tests.unit.controlplane.reconcile.conftest import PLANS, World, artifact


@pytest.fixture
def counting(world: World) -> Deployment:
    """A deployment that counts; `join` is an edit that goes on counting behind the same aggregate."""
    world.flink.plans |= {name: Plan.load((PLANS / f"{name}.json").read_text()) for name in ("aggregate", "join")}
    return world.deployment(artifact=artifact("aggregate"))


def aggregate(world: World, run: Run) -> int:
    """The id under which a run's aggregate keeps its state."""
    with world.store.read() as db:
        text = runs.plan(db, run.id)
    assert text is not None
    (number,) = (node["id"] for node in Plan.load(text).nodes if "group-aggregate" in node["type"])
    return int(number)


def goes_on(world: World, counting: Deployment, before: Run, place: str) -> None:
    """Start the edit from the newest state, and see that it goes on with what the run before it knew."""
    run = world.running(world.edit(counting, "join"), "LATEST_STATE")
    assert world.flink.jobs[run.job_id].submission.restore == place
    assert aggregate(world, run) == aggregate(world, before)
    assert [job_id for job_id, job in world.flink.jobs.items() if not job.seen.state.final] == [run.job_id]


@pytest.mark.parametrize("error", ["disk full", "Checkpoint expired before completing"])
def test_savepoint_fails_or_is_late(world: World, counting: Deployment, error: str) -> None:
    """The job runs on and the savepoint says why; stopped without one, the edit goes on from the newest checkpoint."""
    run = world.running(counting)
    place = world.flink.checkpoint(run.job_id)
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    world.flink.finish_savepoint(error=error)
    world.tick()
    assert (world.fresh(run).state, world.fresh(run).intent) == ("RUNNING", "RUN")
    failure = world.stop_savepoint(run).failure
    assert failure is not None
    assert failure["reason"] == error
    world.cancelled(run)
    goes_on(world, counting, run, place)


def test_job_is_not_healthy(world: World, counting: Deployment) -> None:
    """A job that keeps restarting is asked for a savepoint once; then its newest checkpoint is what there is."""
    run = world.running(counting)
    place = world.flink.checkpoint(run.job_id)
    world.flink.see(run.job_id, Phase.RESTARTING)
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    world.flink.finish_savepoint(error="not all required tasks are running")
    world.tick(4)
    assert len(world.flink.asked("savepoint")) == 1
    world.cancelled(run)
    goes_on(world, counting, run, place)


def test_savepoint_never_ends(world: World, counting: Deployment) -> None:
    """Whoever does not wait cancels: the job ends, and the edit goes on from the newest checkpoint."""
    run = world.running(counting)
    place = world.flink.checkpoint(run.job_id)
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick(40)
    assert world.fresh(run).state == "CANCELLING"
    world.cancelled(run)
    goes_on(world, counting, run, place)


def test_job_dies_while_stopping(world: World, counting: Deployment) -> None:
    """The run FAILED with its diagnosis, the savepoint with it; the edit goes on from the newest checkpoint."""
    run = world.running(counting)
    place = world.flink.checkpoint(run.job_id)
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    world.flink.diagnosis = Diagnosis("division by zero", "java.lang.ArithmeticException: / by zero")
    world.flink.see(run.job_id, Phase.FAILED)
    world.flink.finish_savepoint(error="the job failed")
    world.flink.see(run.job_id, Phase.FAILED)
    world.tick(4)
    found = world.fresh(run)
    assert found.state == "FAILED"
    assert found.failure is not None
    assert found.failure["reason"] == "division by zero"
    assert world.stop_savepoint(run).state == "FAILED"
    goes_on(world, counting, run, place)


def test_flink_dies_while_stopping(world: World, counting: Deployment) -> None:
    """Before the savepoint is complete the job comes back as it was; stopped again, the edit goes on from there."""
    run = world.running(counting)
    before = world.flink.jobs[run.job_id].submission.plan
    world.flink.checkpoint(run.job_id)
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    world.restart_controlplane()
    world.tick(10)
    assert world.flink.jobs[run.job_id].submission.plan == before
    world.flink.see(run.job_id, Phase.RUNNING)
    world.tick()
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    place = world.flink.finish_savepoint()
    assert place is not None
    world.tick()
    goes_on(world, counting, run, place)


def test_flink_dies_behind_the_savepoint(world: World, counting: Deployment) -> None:
    """A savepoint that is complete on disk is one, though nobody was told: the edit goes on from there."""
    run = world.running(counting)
    world.flink.checkpoint(run.job_id)
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    place = world.flink.finish_savepoint()
    assert place is not None
    world.restart_controlplane()
    world.tick(10)
    assert world.fresh(run).state == "CANCELLED"
    goes_on(world, counting, run, place)


def test_another_upgrade_meanwhile(world: World, counting: Deployment) -> None:
    """Two people upgrade one job: one stop, one start, and the other one is told which job is there already."""
    run = world.running(counting)
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    other = world.edit(counting, "join")
    with pytest.raises(Conflict, match=rf"already has job {run.id}, which is CANCELLING"):
        world.ask_start(other, "LATEST_STATE")
    place = world.flink.finish_savepoint()
    world.tick()
    theirs = world.ask_start(other, "LATEST_STATE")
    with pytest.raises(Conflict, match=rf"already has job {theirs.id}, which is STARTING"):
        world.ask_start(counting, "LATEST_STATE")
    world.edit(other, "aggregate")
    world.tick(2)
    sent = world.flink.jobs[theirs.job_id].submission
    assert (sent.restore, sent.script) == (place, "join")
    assert aggregate(world, theirs) == aggregate(world, run)
    assert len(world.flink.asked("savepoint")) == 1
    assert len(world.flink.asked("submit")) == 2
