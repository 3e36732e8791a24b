"""Runs reach the state that was asked for, through one look at a time."""

from __future__ import annotations

import pytest

from flinkform.errors import Conflict, Invalid, Missing, Position, Unavailable
from flinkform.flink import checkpoints
from flinkform.flink.values import Diagnosis, Phase
from tests.unit.controlplane.reconcile.conftest import World


def test_start_to_running(world: World) -> None:
    """A start is submitted under the run's own id, told STARTING, then RUNNING with the time it began."""
    run = world.ask_start(world.deployment(), "NONE")
    world.tick()
    world.tick()
    assert world.flink.asked("submit") == [("submit", run.job_id)]
    assert world.fresh(run).state == "STARTING"
    world.flink.see(run.job_id, Phase.RUNNING)
    world.tick()
    found = world.fresh(run)
    assert (found.state, found.started_at, found.step) == ("RUNNING", world.clock(), "CALLED")
    assert world.told(run) == ["JOB_START_REQUESTED", "JOB_SUBMITTED", "JOB_RUNNING"]


def test_definition_reaches_flink(world: World) -> None:
    """Script, name, parallelism, options as text, log levels and the flag for lost state arrive as written."""
    deployment = world.deployment(
        flinkConf={"a": 1, "b": True, "c": "x"},
        streamingResourceSetting={"basicResourceSetting": {"parallelism": 3}},
        logging={"log4jLoggers": [{"loggerName": "root", "loggerLevel": "WARN"}]},
    )
    run = world.running(deployment, "NONE", allowNonRestoredState=True)
    sent = world.flink.jobs[run.job_id].submission
    assert (sent.script, sent.name, sent.parallelism, sent.batch) == ("SELECT 1", "bids", 3, False)
    assert sent.options == {"a": "1", "b": "true", "c": "x"}
    assert sent.log_levels == {"": "WARN"}
    assert sent.allow_non_restored


def test_bad_script_fails_fast_with_its_place(world: World) -> None:
    """What Flink refuses ends the run at once, with Flink's words and place."""
    run = world.ask_start(world.deployment())
    world.flink.submit_error = Invalid("no such table", position=Position("bids", 3, 7))
    world.tick()
    found = world.fresh(run)
    assert found.state == "FAILED"
    assert found.failure == {
        "failedAt": world.clock(),
        "reason": "bids:3:7: no such table",
        "message": "bids:3:7: no such table",
    }
    assert found.ended_at == world.clock()


def test_no_slots_fails_with_the_holders(world: World) -> None:
    """A job that does not fit fails, saying who holds the slots."""
    run = world.ask_start(world.deployment())
    world.flink.submit_error = Conflict("bids needs 4 slots and 1 of 3 are free", advice="held by other (2)")
    world.tick(2)
    failure = world.fresh(run).failure
    assert failure is not None
    assert failure["reason"] == "bids needs 4 slots and 1 of 3 are free; held by other (2)"


def test_other_artifacts_are_refused(world: World) -> None:
    """A JAR is not run as if it were SQL."""
    run = world.ask_start(world.deployment(artifact={"kind": "JAR"}))
    world.tick(2)
    failure = world.fresh(run).failure
    assert failure is not None
    assert "expected an artifact of kind SQLSCRIPT, got JAR" in failure["reason"]


def test_lost_submit_answer_is_one_job(world: World) -> None:
    """A submission whose answer was lost is asked for again under the same id, after a pause."""
    run = world.ask_start(world.deployment())
    world.flink.lost.add("submit")
    world.tick(2)
    assert world.fresh(run).step == "CALLING"
    world.flink.lost.clear()
    world.tick(8)
    assert world.fresh(run).step == "CALLED"
    assert list(world.flink.jobs) == [run.job_id]
    assert len(world.flink.asked("submit")) == 2


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


def test_batch_finishes(world: World) -> None:
    """The end of a batch job is FINISHED, with Flink's own time."""
    run = world.running(world.deployment(batch=True))
    world.flink.see(run.job_id, Phase.FINISHED, end=99)
    world.tick()
    assert (world.fresh(run).state, world.fresh(run).ended_at) == ("FINISHED", 99)


def test_failure_is_diagnosed(world: World) -> None:
    """A job that failed says why, where, and what to do."""
    run = world.running(world.deployment())
    world.flink.diagnosis = Diagnosis(
        "division by zero", "java.lang.ArithmeticException: / by zero", "Calc", "guard it"
    )
    world.flink.see(run.job_id, Phase.FAILED, end=55)
    world.tick()
    found = world.fresh(run)
    assert found.state == "FAILED"
    assert found.failure == {
        "failedAt": 55,
        "reason": "division by zero in Calc; guard it",
        "message": "java.lang.ArithmeticException: / by zero",
    }


def test_restarting_job_tells_its_trouble_once(world: World) -> None:
    """A job that keeps restarting stays what it was and says why; when it recovered, that is taken back."""
    run = world.running(world.deployment())
    world.flink.diagnosis = Diagnosis("no route to host", "java.net.NoRouteToHostException")
    world.flink.see(run.job_id, Phase.RESTARTING)
    world.tick(3)
    found = world.fresh(run)
    assert (found.state, found.failure and found.failure["reason"]) == ("RUNNING", "no route to host")
    assert len(world.flink.asked("failure")) == 1
    world.flink.see(run.job_id, Phase.RUNNING)
    world.tick()
    assert world.fresh(run).failure is None


def test_killed_from_outside_is_told(world: World) -> None:
    """A job cancelled in Flink's own interface is CANCELLED, not restarted behind that person's back."""
    run = world.running(world.deployment())
    world.flink.see(run.job_id, Phase.CANCELED)
    world.tick(3)
    assert world.fresh(run).state == "CANCELLED"
    assert len(world.flink.asked("submit")) == 1


def test_jvm_death_recovers_every_job(world: World) -> None:
    """Flink is started again and each job goes on under its id from its newest complete checkpoint."""
    kept, fresh = world.running(world.deployment("kept")), world.running(world.deployment("fresh"))
    world.flink.checkpoint(kept.job_id)
    newest = world.flink.checkpoint(kept.job_id)
    (checkpoints.local(newest).parent / "chk-3").mkdir()  # under way when it died: no _metadata
    world.flink.crash()
    world.tick()
    assert world.fresh(kept).state == "STARTING"
    world.tick(8)
    assert world.flink.jobs[kept.job_id].submission.restore == newest
    assert world.flink.jobs[fresh.job_id].submission.restore is None
    assert len(world.flink.asked("submit")) == 4
    for run in (kept, fresh):
        world.flink.see(run.job_id, Phase.RUNNING)
    world.tick()
    assert world.fresh(kept).state == "RUNNING"
    assert world.fresh(kept).restored_from == newest


def test_controlplane_death_recovers_every_job(world: World) -> None:
    """A control plane that was killed with its JVM brings the jobs back at its next start."""
    run = world.running(world.deployment())
    place = world.flink.checkpoint(run.job_id)
    world.restart_controlplane()
    world.tick(3)
    assert world.flink.jobs[run.job_id].submission.restore == place


def test_recovery_without_a_checkpoint_goes_back_to_the_start(world: World) -> None:
    """A job that died before its first checkpoint begins again from what it was restored from."""
    deployment = world.deployment()
    first = world.running(deployment)
    world.ask_stop(first, "STOP_WITH_SAVEPOINT")
    world.tick()
    place = world.flink.finish_savepoint()
    world.tick()
    second = world.running(deployment, "LATEST_SAVEPOINT")
    world.flink.crash()
    world.tick(8)
    assert world.flink.jobs[second.job_id].submission.restore == place


def test_vanished_job_is_repaired_once(world: World) -> None:
    """A job missing from a live Flink is handed over again from its checkpoint; the second time it FAILED."""
    run = world.running(world.deployment())
    place = world.flink.checkpoint(run.job_id)
    world.flink.jobs.clear()
    world.tick(20)
    assert world.flink.jobs[run.job_id].submission.restore == place
    world.flink.see(run.job_id, Phase.RUNNING)
    world.tick()
    world.flink.jobs.clear()
    world.tick(20)
    found = world.fresh(run)
    assert found.state == "FAILED"
    assert found.failure is not None
    assert "vanished" in found.failure["reason"]


def test_list_older_than_a_submission_is_no_loss(world: World) -> None:
    """A job that Flink's list does not show yet, right after it was taken, is not handed over again."""
    run = world.ask_start(world.deployment())
    world.tick()
    world.tick()
    hidden = dict(world.flink.jobs)
    world.flink.jobs.clear()
    world.tick(4)
    world.flink.jobs.update(hidden)
    world.tick(4)
    assert len(world.flink.asked("submit")) == 1
    assert world.fresh(run).retries == 0


def test_silence_says_nothing(world: World) -> None:
    """While Flink does not answer, nothing is told and nothing is done."""
    run = world.running(world.deployment())
    world.flink.observe_error = Unavailable("timed out")
    before = len(world.flink.calls)
    world.tick(10)
    assert world.fresh(run).state == "RUNNING"
    assert len(world.flink.calls) == before


def test_no_java_fails_starts_fast(world: World) -> None:
    """Without a runtime a start FAILED with the reason, at once."""
    world.flink.start_error = Missing("no Java found", advice="install one")
    run = world.ask_start(world.deployment())
    world.tick(2)
    found = world.fresh(run)
    assert found.state == "FAILED"
    assert found.failure is not None
    assert found.failure["reason"] == "Flink cannot be started: no Java found; install one"


def test_no_java_keeps_what_ran(world: World) -> None:
    """A job that ran before Java went away waits, says why, and comes back with Java."""
    run = world.running(world.deployment())
    world.restart_controlplane()
    world.flink.start_error = Missing("no Java found")
    world.tick(2)
    found = world.fresh(run)
    assert (found.state, found.intent) == ("STARTING", "RUN")
    assert found.failure is not None
    assert "no Java found" in found.failure["reason"]
    world.flink.start_error = None
    world.tick(400)
    world.flink.see(run.job_id, Phase.RUNNING)
    world.tick()
    assert (world.fresh(run).state, world.fresh(run).failure) == ("RUNNING", None)


def test_flink_that_does_not_start_is_tried_less_and_less(world: World) -> None:
    """Starts that fail wait longer each time; after three, jobs are told why."""
    run = world.ask_start(world.deployment())
    world.flink.start_error = Unavailable("port taken")
    world.tick(2)
    assert world.fresh(run).state == "STARTING"
    world.tick(400)
    assert 6 <= len(world.flink.asked("start")) <= 9
    failure = world.fresh(run).failure
    assert failure is not None
    assert "port taken" in failure["reason"]


def test_trouble_in_one_deployment_stays_there(world: World) -> None:
    """A bug met by one deployment is an event once, is retried less and less, and the others go on."""
    bad = world.ask_start(world.deployment("bad"))
    world.flink.submit_error = RuntimeError("boom")
    world.tick(2)
    world.flink.submit_error = None
    good = world.running(world.deployment("good"))
    assert good.state == "RUNNING"
    assert world.told(bad).count("RECONCILE_FAILED") == 1
    world.tick(8)
    assert world.fresh(bad).step == "CALLED"


def test_stray_job_is_cancelled(world: World) -> None:
    """A job that Flink runs although its run has ended is cancelled, so that there are never two."""
    run = world.running(world.deployment())
    seen = world.flink.jobs[run.job_id]
    world.ask_stop(run)
    world.flink.jobs.clear()
    world.tick(20)
    assert world.fresh(run).state == "CANCELLED"
    world.flink.jobs[run.job_id] = seen
    world.tick()
    assert world.flink.asked("cancel")[-1] == ("cancel", run.job_id)


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


@pytest.mark.parametrize("fault", ["submit", "cancel", "savepoint"])
def test_lost_answers_everywhere_converge(world: World, fault: str) -> None:
    """Whatever call's answer is lost, the run gets to its end and Flink holds no other job."""
    world.flink.lost.add(fault)
    run = world.ask_start(world.deployment())
    world.tick(3)
    world.flink.see(run.job_id, Phase.RUNNING)
    world.flink.lost.discard("submit")
    world.tick(8)
    world.ask_stop(run, "NONE" if fault == "cancel" else "STOP_WITH_SAVEPOINT")
    world.tick()
    world.flink.lost.clear()
    world.tick(8)
    if fault == "cancel":
        world.flink.see(run.job_id, Phase.CANCELED)
    else:
        world.flink.finish_savepoint()
    world.tick(8)
    assert world.fresh(run).state == "CANCELLED"
    assert [job for job in world.flink.jobs if job != run.job_id] == []
