"""A control plane that ends puts its jobs to rest, and the next one wakes them there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flinkform.controlplane.store import savepoints
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import PARKED, Savepoint
from flinkform.errors import Unavailable
from flinkform.flink import checkpoints
from flinkform.flink.values import Phase
from tests.unit.controlplane.reconcile.conftest import NS, WS, World


def parked(world: World) -> list[Savepoint]:
    with world.store.read() as db:
        return [one for one in savepoints.page(db, WS, NS).items if one.origin == PARKED]


def finishing(world: World, *, error: str | None = None) -> Callable[[], None]:
    """Lets every savepoint end while the control plane waits."""

    def pause() -> None:
        for trigger in list(world.flink.savepoints):
            if trigger not in world.flink.outcomes:
                world.flink.finish_savepoint(trigger, error=error)

    return pause


def passing(world: World) -> Callable[[], None]:
    """Lets only time go by."""

    def pause() -> None:
        world.clock.now += 1000

    return pause


def woken_from(world: World, run: Run) -> str | None:
    world.tick(3)
    world.flink.see(run.job_id, Phase.RUNNING)
    world.tick()
    assert world.fresh(run).state == "RUNNING"
    return world.flink.jobs[run.job_id].submission.restore


def test_jobs_go_on_where_they_were(world: World) -> None:
    """Every running job is stopped with a savepoint, stays desired, and begins from there."""
    runs = [world.running(world.deployment(name)) for name in ("one", "two")]
    world.flink.checkpoint(runs[0].job_id)
    world.end_controlplane(finishing(world))
    places = {one.run_id: one.location for one in parked(world)}
    assert [world.fresh(run).intent for run in runs] == ["RUN", "RUN"]
    assert [woken_from(world, run) for run in runs] == [places[run.id] for run in runs]


def test_only_the_last_rest_is_kept(world: World) -> None:
    """The savepoint of an earlier rest is removed with its files when there is a newer one."""
    run = world.running(world.deployment())
    world.end_controlplane(finishing(world))
    first = parked(world)[0].location
    assert woken_from(world, run) == first
    world.end_controlplane(finishing(world))
    second = parked(world)[0].location
    assert woken_from(world, run) == second
    assert len(parked(world)) == 1
    assert not checkpoints.exists(first or "")


def test_a_failed_rest_costs_nothing(world: World) -> None:
    """A job that cannot be put to rest goes on from its newest checkpoint."""
    run = world.running(world.deployment())
    place = world.flink.checkpoint(run.job_id)
    world.end_controlplane(finishing(world, error="no space left"))
    assert [one.state for one in parked(world)] == ["FAILED"]
    assert woken_from(world, run) == place


def test_rest_ends_in_time(world: World) -> None:
    """Jobs that take too long are left; what they wrote in time is found, and what they did not is given up."""
    late, slow = world.running(world.deployment("late")), world.running(world.deployment("slow"))
    place = world.flink.checkpoint(slow.job_id)
    world.loop.stop(pause=passing(world))
    written = world.flink.finish_savepoint(next(iter(world.flink.savepoints)))
    world.restart_controlplane()
    assert woken_from(world, late) == written
    assert woken_from(world, slow) == place
    assert {one.state for one in parked(world)} == {"COMPLETED", "FAILED"}


def test_killed_while_putting_to_rest(world: World) -> None:
    """A control plane killed in the middle finds what Flink completed, at its next start."""

    def pause() -> None:
        finishing(world)()
        raise KeyboardInterrupt

    run = world.running(world.deployment())
    with pytest.raises(KeyboardInterrupt):
        world.loop.stop(pause=pause)
    world.restart_controlplane()
    assert woken_from(world, run) == parked(world)[0].location


def test_others_are_left_alone(world: World) -> None:
    """What is batch, ends, or does not run is not asked for a savepoint; a silent Flink holds up nobody."""
    world.running(world.deployment("batch", batch=True))
    world.ask_stop(world.running(world.deployment("stopping")))
    world.ask_start(world.deployment("starting"))
    silent = world.running(world.deployment("silent"))
    world.flink.lost.add("savepoint")
    world.flink.observe_error = Unavailable("timed out")
    world.end_controlplane(passing(world))
    assert world.flink.asked("savepoint") == [("savepoint", silent.job_id, "stop")]


def test_nothing_runs_nothing_rests(world: World) -> None:
    """A control plane whose Flink is dead ends at once."""
    world.running(world.deployment())
    world.flink.crash()
    world.end_controlplane()
    assert parked(world) == []
