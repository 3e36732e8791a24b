"""A job that fails too often is ended and stays so; one that fails now and then, or long ago, goes on."""

from __future__ import annotations

from flinkform.controlplane.reconcile.quarantine import Limit
from flinkform.controlplane.store.runs import Run
from flinkform.flink.values import Diagnosis, Phase
from tests.unit.controlplane.reconcile.conftest import World

LIMIT = Limit()
WHY = "quarantined after 20 failures in 10 minutes: division by zero"


def flap(world: World, run: Run, times: int) -> None:
    """Let a job fail that often, a second apart, too short for any look to see it down."""
    now = world.clock()
    failed = [now - 1000 * n for n in range(times)]
    for n in range(0, times, 4):
        world.flink.fail(run.job_id, *failed[max(0, n - 12) : n + 4])
        world.tick(later=1)


def test_quarantine(world: World) -> None:
    """A job whose every failure was over before a look is counted all the same, ended, and FAILED with the cause."""
    run = world.running(world.deployment())
    flap(world, run, 20)
    world.tick(2)
    assert world.flink.asked("cancel") == [("cancel", run.job_id)]
    assert world.fresh(run).state == "CANCELLING"
    world.flink.see(run.job_id, Phase.CANCELED)
    world.tick()
    found = world.fresh(run)
    assert (found.state, found.failure and found.failure["reason"]) == ("FAILED", WHY)
    assert "JOB_QUARANTINED" in world.told(run)
    assert world.told(run)[-1] == "JOB_FAILED"


def test_only_a_start_ends_quarantine(world: World) -> None:
    """Nothing starts it again but somebody's start, which begins with a clean slate."""
    deployment = world.deployment()
    run = world.running(deployment)
    flap(world, run, 20)
    world.tick(2)
    world.flink.see(run.job_id, Phase.CANCELED)
    world.tick(5, later=60_000)
    world.restart_controlplane()
    world.tick(5)
    assert len(world.flink.asked("submit")) == 1
    again = world.running(deployment)
    world.tick(5)
    assert world.fresh(again).state == "RUNNING"


def test_quarantine_outlives_the_control_plane(world: World) -> None:
    """One that dies before the job is ended ends it after: the job is not recovered."""
    run = world.running(world.deployment())
    flap(world, run, 20)
    world.tick()
    world.restart_controlplane()
    world.tick(3)
    assert (world.fresh(run).state, len(world.flink.asked("submit"))) == ("FAILED", 1)


def test_below_the_limit(world: World) -> None:
    """Nineteen failures are told, and the job goes on; so does one whose failures are spread."""
    run = world.running(world.deployment())
    flap(world, run, 19)
    world.tick(2)
    assert world.fresh(run).state == "RUNNING"
    world.tick(later=LIMIT.window)
    flap(world, run, 19)
    world.tick(2)
    assert world.fresh(run).state == "RUNNING"


def test_failures_that_are_seen_count(world: World) -> None:
    """A job that is found restarting at every look is asked again whenever its tasks changed."""
    run = world.running(world.deployment())
    world.flink.see(run.job_id, Phase.RESTARTING)
    world.tick()
    flap(world, run, 20)
    world.tick()
    assert world.fresh(run).intent == "HOLD"


def test_quiet_jobs_cost_nothing(world: World) -> None:
    """A job whose tasks did not change is asked nothing, however often it is looked at."""
    world.running(world.deployment())
    before = len(world.flink.calls)
    world.tick(50)
    assert world.flink.calls[before:] == []


def test_jvm_restart_is_no_failure(world: World) -> None:
    """A job whose Flink was restarted is not suspected, and not asked."""
    run = world.running(world.deployment())
    for n in range(25):
        world.flink.crash()
        world.tick(4, later=60_000)
        world.flink.diagnosis = Diagnosis("division by zero", "", times=(world.clock(),))
        world.flink.jobs[run.job_id].seen = world.flink.jobs[run.job_id].seen.__class__(Phase.RUNNING, 1, None, 1, 1, n)
        world.tick()
        assert world.fresh(run).state == "RUNNING"
    assert world.flink.asked("failure") == []


def test_limit() -> None:
    """Deaths of a JVM count for more than failures, and what is older than the window for nothing."""
    assert LIMIT.reached({"failed": [*range(20)]}, 20)
    assert not LIMIT.reached({"failed": [*range(20)]}, LIMIT.window + 1)
    told = LIMIT.reached({"died": [1, 2, 3], "reason": "out of memory"}, 4)
    assert told == "quarantined after 3 deaths of its JVM in 10 minutes: out of memory"
    more = LIMIT.more(
        {"failed": [1, LIMIT.window], "died": [2]}, "failed", (LIMIT.window, LIMIT.window + 1), "r", 700_000
    )
    assert more == {"failed": [LIMIT.window, LIMIT.window + 1], "died": [2], "reason": "r"}
