"""A runtime whose jobs outlive us: not seeing it says nothing, and what it still runs is taken up by id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.store import events
from flinkform.errors import Unavailable
from flinkform.flink.values import Phase
from tests.unit.controlplane.reconcile.conftest import World, made
from tests.unit.controlplane.reconcile.fake import FakeRuntime, Inline
from tests.unit.controlplane.tables import Kind


@pytest.fixture
def world(tmp_path: Path, kind: Kind) -> Iterator[World]:
    one = made(tmp_path, FakeRuntime(lasting=True, life="first"), kind)
    yield one
    one.store.close()


def unreachable(world: World) -> None:
    world.flink.alive = False
    world.flink.start_error = Unavailable("no way there")


def another(world: World) -> None:
    """The control plane ends and another one starts; the cluster does not notice."""
    world.loop.stop()
    world.loop = Loop(world.bench, executor=Inline())


def test_taken_up_again(world: World) -> None:
    """A new control plane finds the job by its id: nothing is stopped, saved or handed over."""
    run = world.running(world.deployment())
    calls = len(world.flink.calls)
    another(world)
    world.tick(5, later=2000)
    assert [call for call in world.flink.calls[calls:] if call != ("start",)] == []
    assert world.fresh(run).state == "RUNNING"


def test_unknown_is_not_stopped(world: World) -> None:
    """A cluster that cannot be reached leaves every state as it was, however long; so does a stop without savepoint."""
    run = world.running(world.deployment())
    unreachable(world)
    another(world)
    world.tick(10, later=30_000)
    assert world.fresh(run).state == "RUNNING"
    world.ask_stop(run)
    world.tick(10, later=30_000)
    assert world.fresh(run).state == "CANCELLING"
    world.flink.alive, world.flink.start_error = True, None
    world.tick(3, later=60_000)
    assert world.flink.asked("cancel") == [("cancel", run.job_id)]


def test_savepoint_is_waited_for(world: World) -> None:
    """The savepoint of a stop is not given up while nothing is known of it."""
    run = world.running(world.deployment())
    world.ask_stop(run, "STOP_WITH_SAVEPOINT")
    world.tick(2)
    unreachable(world)
    another(world)
    world.tick(5, later=30_000)
    assert world.stop_savepoint(run).state == "STARTED"
    world.flink.alive, world.flink.start_error = True, None
    place = world.flink.finish_savepoint()
    world.tick(4, later=60_000)
    assert (world.stop_savepoint(run).location, world.fresh(run).state) == (place, "CANCELLED")


def test_never_reached(world: World) -> None:
    """A start that no cluster was ever asked for fails with the reason, once that is certain."""
    unreachable(world)
    run = world.ask_start(world.deployment())
    world.tick(8, later=5000)
    found = world.fresh(run)
    assert found.state == "FAILED"
    assert found.failure is not None
    assert found.failure["reason"] == "no way there"


def test_another_job_manager(world: World) -> None:
    """What a former job manager ran and the new one does not know goes on from its newest state, each time."""
    run = world.running(world.deployment())
    for life in ("second", "third"):
        place = world.flink.checkpoint(run.job_id)
        world.flink.life = life
        world.flink.jobs.clear()
        world.tick(2, later=4000)
        world.flink.see(run.job_id, Phase.RUNNING)
        world.tick()
        assert world.fresh(run).state == "RUNNING"
        assert world.fresh(run).restored_from == place


def test_killed_there(world: World) -> None:
    """A job that somebody cancels in the cluster is seen as it is, and not started again: that is drift."""
    run = world.running(world.deployment())
    world.flink.see(run.job_id, Phase.CANCELED, end=5)
    world.tick(3)
    assert (world.fresh(run).state, world.fresh(run).intent) == ("CANCELLED", "RUN")
    assert len(world.flink.asked("submit")) == 1


def test_lost_and_back(world: World) -> None:
    """A cluster that ceases to answer, and one that answers again, is an event of each job in it; a stumble is none."""
    run = world.running(world.deployment())
    waiting = world.ask_start(world.deployment("waiting"))
    world.flink.submit_error = Unavailable("not now")
    world.tick()
    before = world.told(run)
    world.flink.observe_error = Unavailable("no way there")
    world.tick(3, later=1000)
    world.flink.observe_error = None
    world.tick(2)
    assert world.told(run) == before
    world.flink.observe_error, world.flink.silent = Unavailable("no way there"), "big does not answer: no way there"
    world.tick(20, later=1000)
    world.flink.observe_error = None
    world.tick(5)
    assert world.told(run) == [*before, "CLUSTER_LOST", "CLUSTER_BACK"]
    assert world.fresh(run).state == "RUNNING"
    with world.store.read() as db:
        messages = [one.message for one in events.page(db, "ws-1", "team", names=["CLUSTER_LOST"]).items]
    assert messages[0].startswith("big does not answer: no way there; nothing is known")
    assert world.fresh(waiting).state != "FAILED"
