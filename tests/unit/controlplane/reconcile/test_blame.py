"""A job that is the death of its JVM goes on alone, and is held if it does not learn; nobody else pays twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flinkform.controlplane.reconcile.blame import Vigil
from flinkform.controlplane.reconcile.observe import Health, Look, View
from flinkform.controlplane.store.runs import Run
from flinkform.flink.fleet import SHARED, Seat
from flinkform.flink.values import Observed, Phase
from tests.unit.controlplane.reconcile.conftest import World
from tests.unit.controlplane.reconcile.fake import FakeRuntime

WHY = "Flink ran out of memory (Java heap space)"


def isolated(world: World) -> tuple[Run, Run, FakeRuntime]:
    """A good job and a bad one that has killed their JVM once; and the bad one's own."""
    good, bad = world.running(world.deployment("good")), world.running(world.deployment("bad"))
    world.flink.die(WHY, bad.job_id, good.job_id)
    world.tick(8)
    world.flink.see(good.job_id, Phase.RUNNING)
    own = world.others[Seat(group="d-bad")]
    own.see(bad.job_id, Phase.RUNNING)
    world.tick()
    return good, bad, own


def test_the_culprit_goes_on_alone(world: World) -> None:
    """The suspect is restarted in a JVM of its own from its newest state, and says so; the other one where it was."""
    good, bad, own = isolated(world)
    assert (list(world.flink.jobs), list(own.jobs)) == ([good.job_id], [bad.job_id])
    assert [world.fresh(run).state for run in (good, bad)] == ["RUNNING", "RUNNING"]
    assert ("JOB_ISOLATED" in world.told(good), "JOB_ISOLATED" in world.told(bad)) == (False, True)


def test_nobody_pays_twice(world: World) -> None:
    """When it dies again, the others do not notice; after the third death it is held until somebody starts it."""
    good, bad, own = isolated(world)
    for _ in range(2):
        own.die(WHY, bad.job_id)
        world.tick(8, later=2_000)
        if bad.job_id in own.jobs:
            own.see(bad.job_id, Phase.RUNNING)
        world.tick()
    found = world.fresh(bad)
    assert (found.state, found.failure and found.failure["reason"]) == (
        "FAILED",
        f"quarantined after 3 deaths of its JVM in 10 minutes: {WHY}",
    )
    assert len([call for call in world.flink.asked("submit") if call[1] == good.job_id]) == 2
    assert world.fresh(good).state == "RUNNING"


def test_isolation_lasts(world: World) -> None:
    """A start of the same job finds it in its own JVM still, after a restart of the control plane too."""
    _, bad, own = isolated(world)
    world.restart_controlplane()
    world.tick(4)
    assert bad.job_id in own.jobs
    world.ask_stop(bad)
    world.tick()
    own.see(bad.job_id, Phase.CANCELED)
    world.tick()
    again = world.ask_start(world.again("bad"))
    world.tick(4)
    assert again.job_id in own.jobs


def test_isolation_is_forgiven(world: World) -> None:
    """Whoever says that it may sit with the others gets that."""
    _, bad, own = isolated(world)
    world.ask_stop(bad)
    world.tick()
    own.see(bad.job_id, Phase.CANCELED)
    world.tick()
    again = world.ask_start(world.again("bad"), changes={"flinkConf": {"flinkform.isolation": "shared"}})
    world.tick(4)
    assert again.job_id in world.flink.jobs


def test_killed_from_outside(world: World) -> None:
    """A JVM that somebody killed died of nobody: all go on together."""
    jobs = [world.running(world.deployment(name)) for name in ("one", "two")]
    world.flink.die("", *(run.job_id for run in jobs))
    world.tick(8)
    assert set(world.flink.jobs) == {run.job_id for run in jobs}
    assert world.others == {}


def test_the_next_suspect(world: World) -> None:
    """A JVM that dies again without the first suspect in it died of the next."""
    good, bad, _ = isolated(world)
    world.flink.die(WHY, bad.job_id, good.job_id)
    world.tick(8, later=2_000)
    assert list(world.others[Seat(group="d-good")].jobs) == [good.job_id]


def test_endless_loop(world: World) -> None:
    """A task that does not hear that it shall end costs its JVM once; its job ends, and starts alone next time."""
    good, bad = world.running(world.deployment("good")), world.running(world.deployment("bad"))
    world.ask_stop(bad)
    world.tick()
    world.flink.jobs[bad.job_id].seen = replace(world.flink.jobs[bad.job_id].seen, ending=1)
    world.tick(3, later=25_000)
    assert world.flink.alive
    world.tick(later=25_000)
    assert not world.flink.alive
    world.tick(8)
    assert list(world.flink.jobs) == [good.job_id]
    assert world.fresh(bad).state == "CANCELLED"
    again = world.ask_start(world.again("bad"))
    world.tick(4)
    assert list(world.others[Seat(group="d-bad")].jobs) == [again.job_id]


def test_tasks_that_take_a_while(world: World) -> None:
    """Tasks that end in time, one time after the other, cost nothing."""
    run = world.running(world.deployment())
    for n in range(8):
        job = world.flink.jobs[run.job_id]
        job.seen = replace(job.seen, ending=n % 2)
        world.tick(later=50_000)
    assert world.flink.alive


@pytest.mark.parametrize(("lasting", "ended"), [(False, [SHARED]), (True, [])])
def test_clusters_somewhere_else(*, lasting: bool, ended: list[Seat]) -> None:
    """A cluster that is not ours is not ended for a task that does not end."""
    vigil = Vigil(1000)
    stopping = {"a": Observed(Phase.STOPPING, 1, None, 1, 1, ending=1)}
    looks = {SHARED: Look(Health("life", lasting=lasting), jobs=stopping)}
    assert vigil.stuck(View(0, looks)) == []
    assert [seat for seat, _, _ in vigil.stuck(View(1000, looks))] == ended
