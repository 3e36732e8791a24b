"""A stop ends a run one time, and its savepoint is kept or told as failed."""

from __future__ import annotations

from flinkform.flink.values import Phase
from tests.unit.controlplane.reconcile.conftest import World


def test_cancel(world: World) -> None:
    """A stop by NONE is CANCELLING at once, cancels one time, and ends CANCELLED."""
    run = world.running(world.deployment())
    assert world.ask_stop(run).state == "CANCELLING"
    world.tick(3)
    assert len(world.flink.asked("cancel")) == 1
    world.flink.see(run.job_id, Phase.CANCELED, end=77)
    world.tick()
    found = world.fresh(run)
    assert (found.state, found.ended_at) == ("CANCELLED", 77)


def test_stop_before_submission_never_calls_flink(world: World) -> None:
    """A run stopped before Flink knew of it just ends."""
    run = world.ask_start(world.deployment())
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick(3)
    assert world.fresh(run).state == "CANCELLED"
    assert world.flink.asked("submit") == []
    assert world.stop_savepoint(run).state == "FAILED"


def test_stop_with_savepoint(world: World) -> None:
    """The savepoint is completed with its place, and Flink's FINISHED is CANCELLED to the API."""
    run = world.running(world.deployment())
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick(2)
    assert world.fresh(run).state == "CANCELLING"
    place = world.flink.finish_savepoint()
    world.tick()
    assert world.fresh(run).state == "CANCELLED"
    taken = world.stop_savepoint(run)
    assert (taken.state, taken.location, taken.origin) == ("COMPLETED", place, "STOP_WITH_SAVEPOINT")
    assert world.flink.asked("savepoint") == [("savepoint", run.job_id, "stop")]


def test_stop_with_drain(world: World) -> None:
    """A drain is asked of Flink, and remembered with the savepoint."""
    run = world.running(world.deployment())
    world.ask_stop(run, "STOP_WITH_DRAIN")
    world.tick(2)
    world.flink.finish_savepoint()
    world.tick()
    assert world.flink.asked("savepoint") == [("savepoint", run.job_id, "stop", "drain")]
    assert world.stop_savepoint(run).drain


def test_failed_savepoint_leaves_the_job_running(world: World) -> None:
    """The stop is given up: RUNNING again, the savepoint FAILED with the reason, an event, and a later stop works."""
    run = world.running(world.deployment())
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    world.flink.finish_savepoint(error="disk full")
    world.tick()
    found = world.fresh(run)
    assert (found.state, found.intent) == ("RUNNING", "RUN")
    taken = world.stop_savepoint(run)
    assert taken.state == "FAILED"
    assert taken.failure is not None
    assert taken.failure["reason"] == "disk full"
    assert world.told(run)[-2:] == ["SAVEPOINT_FAILED", "JOB_STOP_FAILED"]
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    world.flink.finish_savepoint()
    world.tick()
    assert world.fresh(run).state == "CANCELLED"


def test_cancel_overrides_a_stop_that_waits(world: World) -> None:
    """A stop by NONE ends a job whose savepoint does not come."""
    run = world.running(world.deployment())
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    world.ask_stop(run)
    world.tick()
    assert len(world.flink.asked("cancel")) == 1
    world.flink.see(run.job_id, Phase.CANCELED)
    world.flink.finish_savepoint(error="job was cancelled")
    world.tick()
    assert world.fresh(run).state == "CANCELLED"
    assert world.stop_savepoint(run).state == "FAILED"


def test_lost_stop_answer_is_found_on_disk(world: World) -> None:
    """The job stopped, but nobody heard where its savepoint is: it is found in the savepoint's own folder."""
    run = world.running(world.deployment())
    world.flink.lost.add("savepoint")
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    assert world.stop_savepoint(run).trigger is None
    place = world.flink.finish_savepoint()
    world.tick(4)
    assert world.fresh(run).state == "CANCELLED"
    assert world.stop_savepoint(run).location == place


def test_death_while_stopping_goes_on(world: World) -> None:
    """Flink dies before the savepoint is done: the stop has failed, and the job comes back from its checkpoint."""
    run = world.running(world.deployment())
    place = world.flink.checkpoint(run.job_id)
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    world.flink.crash()
    world.tick(10)
    assert world.flink.jobs[run.job_id].submission.restore == place
    assert world.stop_savepoint(run).state == "FAILED"
    world.flink.see(run.job_id, Phase.RUNNING)
    world.tick()
    assert world.fresh(run).state == "RUNNING"


def test_death_after_the_savepoint_is_a_stop(world: World) -> None:
    """Flink dies when the savepoint is complete, before it said so: the job is stopped, with that savepoint."""
    run = world.running(world.deployment())
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick()
    place = world.flink.finish_savepoint()
    world.flink.crash()
    world.tick(10)
    assert world.fresh(run).state == "CANCELLED"
    assert world.stop_savepoint(run).location == place
    assert world.flink.jobs == {}


def test_death_while_cancelling_is_a_stop(world: World) -> None:
    """A job whose Flink died while it was cancelled is not brought back."""
    run = world.running(world.deployment())
    world.ask_stop(run)
    world.tick()
    world.flink.crash()
    world.tick(10)
    assert world.fresh(run).state == "CANCELLED"
    assert world.flink.jobs == {}


def test_killed_from_outside_is_told(world: World) -> None:
    """A job cancelled in Flink's own interface is CANCELLED, not restarted behind that person's back."""
    run = world.running(world.deployment())
    world.flink.see(run.job_id, Phase.CANCELED)
    world.tick(3)
    assert world.fresh(run).state == "CANCELLED"
    assert len(world.flink.asked("submit")) == 1


def test_user_savepoint(world: World) -> None:
    """A savepoint on request is STARTED, then COMPLETED, and the job goes on."""
    run = world.running(world.deployment())
    asked = world.ask_savepoint(run)
    world.tick()
    place = world.flink.finish_savepoint()
    world.tick()
    taken = world.savepoint(asked.id)
    assert taken is not None
    assert (taken.state, taken.location, taken.origin) == ("COMPLETED", place, "USER_REQUEST")
    assert world.fresh(run).state == "RUNNING"


def test_user_savepoint_of_a_job_that_ends_fails(world: World) -> None:
    """A savepoint asked for too late fails and says so."""
    run = world.running(world.deployment())
    asked = world.ask_savepoint(run)
    world.flink.see(run.job_id, Phase.FINISHED)
    world.tick(2)
    taken = world.savepoint(asked.id)
    assert taken is not None
    assert taken.failure is not None
    assert taken.failure["reason"] == "the job was FINISHED and cannot take a savepoint"


def test_one_call_at_a_time_for_a_deployment(world: World) -> None:
    """A savepoint and a stop asked for together are taken one after the other, and both happen."""
    run = world.running(world.deployment())
    asked = world.ask_savepoint(run)
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick(2)
    assert len(world.flink.savepoints) == 2
    for trigger in list(world.flink.savepoints):
        world.flink.finish_savepoint(trigger)
    world.tick(2)
    taken = world.savepoint(asked.id)
    assert taken is not None
    assert taken.state == "COMPLETED"
    assert world.fresh(run).state == "CANCELLED"
