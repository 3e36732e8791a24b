"""Runs reach the state that was asked for, through one look at a time."""

from __future__ import annotations

import pytest

from flinkform.errors import Conflict, Invalid, Position
from flinkform.flink.values import Clue, Diagnosis, Part, Phase
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
    """Script, name, parallelism and options as text arrive as written."""
    deployment = world.deployment(
        flinkConf={"a": 1, "b": True, "c": "x"},
        streamingResourceSetting={"basicResourceSetting": {"parallelism": 3}},
    )
    run = world.running(deployment)
    sent = world.flink.jobs[run.job_id].submission
    assert (sent.script, sent.name, sent.parallelism, sent.batch) == ("SELECT 1", "bids", 3, False)
    assert sent.options == {"a": "1", "b": "true", "c": "x"}


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
    run = world.ask_start(world.deployment(artifact={"kind": "PYTHON"}))
    world.tick(2)
    failure = world.fresh(run).failure
    assert failure is not None
    assert "expected an artifact of kind SQLSCRIPT or JAR, got PYTHON" in failure["reason"]


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


def test_batch_finishes(world: World) -> None:
    """The end of a batch job is FINISHED, with Flink's own time."""
    run = world.running(world.deployment(batch=True))
    world.flink.see(run.job_id, Phase.FINISHED, end=99)
    world.tick()
    assert (world.fresh(run).state, world.fresh(run).ended_at) == ("FINISHED", 99)


def test_batch_finishes_before_anybody_looks(world: World) -> None:
    """A job that was never seen RUNNING has run all the same: it has a time it began, and so a page to look at."""
    run = world.ask_start(world.deployment(batch=True))
    world.tick(2)
    world.flink.see(run.job_id, Phase.FINISHED, end=99)
    world.tick()
    found = world.fresh(run)
    assert (found.state, found.started_at, found.ended_at) == ("FINISHED", 99, 99)


def test_failure_is_diagnosed(world: World) -> None:
    """A job that failed says why, at which line of its script, in which task, and what to do."""
    script = {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": "INSERT INTO a\nSELECT b / c FROM d"}}
    run = world.running(world.deployment(artifact=script))
    clue = Clue(Part.QUERY, ("/",))
    world.flink.diagnosis = Diagnosis("division by zero", "/ by zero", "Calc", "guard it", clue=clue)
    world.flink.see(run.job_id, Phase.FAILED, end=55)
    world.tick()
    found = world.fresh(run)
    assert found.state == "FAILED"
    assert found.failure == {
        "failedAt": 55,
        "reason": "division by zero at line 2, `SELECT b / c FROM d`, in Calc; guard it",
        "message": "/ by zero",
        "advice": "guard it",
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
