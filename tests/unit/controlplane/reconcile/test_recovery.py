"""What died without being asked to comes back one time, from its newest complete checkpoint."""

from __future__ import annotations

from dataclasses import replace

from flinkform.errors import Killed, Missing, Unavailable
from flinkform.flink import checkpoints
from flinkform.flink.values import Phase
from tests.unit.controlplane.reconcile.conftest import World


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
    assert world.fresh(kept).began_from is None


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


def test_recovery_does_not_change_where_a_run_began(world: World) -> None:
    """A run that was recovered from its own checkpoint still tells the savepoint that it was started from."""
    deployment = world.deployment()
    world.ask_stop(world.running(deployment), "STOP_WITH_SAVEPOINT")
    world.tick()
    place = world.flink.finish_savepoint()
    world.tick()
    run = world.running(deployment, "LATEST_SAVEPOINT")
    newest = world.flink.checkpoint(run.job_id)
    world.flink.crash()
    world.tick(8)
    assert (world.fresh(run).began_from, world.fresh(run).restored_from) == (place, newest)


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


def started(world: World, times: int) -> None:
    """Look until Flink was started so often."""
    while len(world.flink.asked("start")) < times:
        world.tick(later=1000)


def test_start_that_worked_is_no_failure(world: World) -> None:
    """Only starts that failed one after the other mean that Flink cannot be started, not deaths after a good one."""
    world.flink.start_error = Unavailable("port taken")
    run = world.ask_start(world.deployment())
    started(world, 2)
    world.flink.start_error = None
    started(world, 3)
    world.flink.crash()
    world.flink.start_error = Unavailable("port taken")
    started(world, 5)
    world.tick()
    assert world.fresh(run).state == "STARTING"


def test_killed_start_is_tried_longer(world: World) -> None:
    """A start that somebody kills says little about Flink; one that is killed ten times is told of all the same."""
    world.flink.start_error = Killed("the Flink JVM was killed while it started")
    run = world.ask_start(world.deployment())
    started(world, 9)
    world.tick()
    assert world.fresh(run).state == "STARTING"
    started(world, 10)
    world.tick()
    found = world.fresh(run)
    assert found.state == "FAILED"
    assert found.failure is not None
    assert "was killed" in found.failure["reason"]


def test_stray_job_is_cancelled(world: World) -> None:
    """A job that Flink runs although its run has ended is cancelled, so that there are never two."""
    run = world.running(world.deployment())
    seen = world.flink.jobs[run.job_id]
    world.ask_stop(run)
    world.flink.jobs.clear()
    world.tick(20)
    assert world.fresh(run).state == "CANCELLED"
    world.flink.jobs[run.job_id] = seen
    calls = len(world.flink.asked("cancel"))
    world.tick(6)
    assert world.flink.asked("cancel")[calls:] == [("cancel", run.job_id)]
    assert world.told(run)[-1] == "JOB_STRAY"


def test_stray_that_takes_no_notice(world: World) -> None:
    """A stray that runs on is cancelled again after a while, each time a longer one, and told of once."""
    run = world.running(world.deployment())
    seen = world.flink.jobs[run.job_id]
    world.cancelled(run)
    world.flink.jobs[run.job_id] = seen
    calls = len(world.flink.asked("cancel"))
    for _ in range(240):
        seen.seen = replace(seen.seen, state=Phase.RUNNING)
        world.tick()
    assert len(world.flink.asked("cancel")) - calls == 4  # at 0, 5, 15 and 35 s
    assert world.told(run).count("JOB_STRAY") == 1
