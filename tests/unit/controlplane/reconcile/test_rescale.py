"""A job gets another parallelism while it runs: asked for once, waited for, and taken back if Flink does not do it."""

from __future__ import annotations

import pytest

from flinkform.controlplane.reconcile.rescale import PATIENCE
from flinkform.controlplane.store import deployments
from flinkform.controlplane.store.deployments import Deployment
from flinkform.controlplane.store.rescales import Rescale
from flinkform.controlplane.store.runs import PARALLELISM, Run, parallelism, put
from flinkform.errors import Conflict, Unavailable
from flinkform.flink.values import Phase
from tests.unit.controlplane.reconcile.conftest import World


@pytest.fixture
def deployment(world: World) -> Deployment:
    return world.deployment()


@pytest.fixture
def run(world: World, deployment: Deployment) -> Run:
    return world.running(deployment)


def edited(world: World, deployment: Deployment, wanted: int) -> Deployment:
    """The deployment, saying another parallelism."""
    document = put(deployment.document, PARALLELISM, wanted)
    with world.store.write() as db:
        return deployments.replace(db, deployment, document, name="bids", modifier="me", now=world.clock())


def end(world: World, one: Rescale) -> tuple[str, str]:
    """How a change ended, and why it failed."""
    found = world.rescale(one)
    return found.state, str((found.failure or {}).get("reason", ""))


def test_life(world: World, deployment: Deployment, run: Run) -> None:
    """Flink is asked once; when every task runs the job has the deployment's definition, under its id."""
    new = edited(world, deployment, 3)
    one = world.ask_rescale(run, 3)
    world.tick(3)
    assert world.flink.asked("rescale") == [("rescale", run.job_id, "3")]
    assert end(world, one) == ("HOT_UPDATING", "")
    world.flink.see(run.job_id, Phase.RESTARTING)
    world.tick(2)
    world.flink.take_up(run.job_id)
    world.flink.see(run.job_id, Phase.RUNNING)
    world.tick(2)
    assert end(world, one) == ("HOT_UPDATED", "")
    found = world.fresh(run)
    assert (found.state, found.job_id, found.revision) == ("RUNNING", run.job_id, new.revision)
    assert parallelism(found.definition) == 3
    assert world.told(run)[-1] == "JOB_HOT_UPDATED"
    assert "JOB_RESTARTING" not in world.told(run)
    assert len(world.flink.asked("submit")) == 1


def test_refused(world: World, run: Run) -> None:
    """A refusal is told with its reason, and nothing was changed."""
    one = world.ask_rescale(run, 9)
    world.flink.rescale_error = Conflict("bids needs 9 slots and 1 of 10 are free")
    world.tick(2)
    assert end(world, one) == ("HOT_UPDATE_FAILED", "bids needs 9 slots and 1 of 10 are free")
    assert parallelism(world.fresh(run).definition) == 1
    assert world.fresh(run).state == "RUNNING"
    assert world.told(run)[-1] == "JOB_HOT_UPDATE_FAILED"


def test_too_late(world: World, run: Run) -> None:
    """What Flink does not take up in time is taken back, from Flink too."""
    one = world.ask_rescale(run, 3)
    world.tick(2)
    world.tick(2, later=PATIENCE)
    assert world.flink.asked("rescale") == [("rescale", run.job_id, "3"), ("rescale", run.job_id, "1")]
    assert end(world, one)[0] == "HOT_UPDATE_FAILED"
    assert parallelism(world.fresh(run).definition) == 1


def test_lost_answer(world: World, run: Run) -> None:
    """Where the answer was lost Flink is asked again, which is one change."""
    one = world.ask_rescale(run, 3)
    world.flink.lost = {"rescale"}
    world.tick()
    world.flink.lost = set()
    world.tick(1, later=1000)
    world.flink.take_up(run.job_id)
    world.tick(2)
    assert end(world, one) == ("HOT_UPDATED", "")


def test_dead_jvm(world: World, run: Run) -> None:
    """A JVM that dies after it was asked has the job back with the new parallelism, and the change is done."""
    one = world.ask_rescale(run, 3)
    world.tick(2)
    world.flink.crash()
    world.tick(3, later=2000)
    assert world.flink.jobs[run.job_id].submission.parallelism == 3
    world.flink.see(run.job_id, Phase.RUNNING)
    world.tick(2)
    assert end(world, one) == ("HOT_UPDATED", "")


def test_silence(world: World, run: Run) -> None:
    """While nothing is known of the job nothing is asked and nothing given up."""
    world.flink.observe_error = Unavailable("no")
    one = world.ask_rescale(run, 3)
    world.tick(3)
    assert world.flink.asked("rescale") == []
    assert end(world, one) == ("HOT_UPDATING", "")


def test_stop_comes_first(world: World, run: Run) -> None:
    """A stop that is asked for before Flink was asked wins; the savepoint of a later one waits for the tasks."""
    one = world.ask_rescale(run, 3)
    world.ask_stop(run)
    world.tick(2)
    assert end(world, one) == ("HOT_UPDATE_FAILED", "the job ended or is being stopped")
    assert world.flink.asked("rescale") == []


def test_stop_waits_for_the_tasks(world: World, run: Run) -> None:
    """The savepoint of a stop is not asked for while tasks restart for another parallelism."""
    world.ask_rescale(run, 3)
    world.tick(2)
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick(2)
    assert world.flink.asked("savepoint") == []
    world.flink.take_up(run.job_id)
    world.tick(3)
    assert len(world.flink.asked("savepoint")) == 1


def test_waits_for_a_savepoint(world: World, run: Run) -> None:
    """A savepoint that is being taken is not broken by a restart of the tasks."""
    world.ask_savepoint(run)
    world.tick()
    world.ask_rescale(run, 3)
    world.tick(2)
    assert world.flink.asked("rescale") == []
    world.flink.finish_savepoint()
    world.tick(3)
    assert len(world.flink.asked("rescale")) == 1


def test_one_at_a_time(world: World, deployment: Deployment) -> None:
    """Only a running job can change, and one change at a time."""
    run = world.ask_start(deployment)
    with pytest.raises(Conflict, match="RUNNING, got STARTING"):
        world.ask_rescale(run, 2)
    world.tick(2)
    world.flink.see(run.job_id, Phase.RUNNING)
    world.tick()
    world.ask_rescale(run, 2)
    with pytest.raises(Conflict, match="is being changed already"):
        world.ask_rescale(run, 3)
