"""Log levels reach the JVM of the jobs that ask for them, and leave it with them."""

from __future__ import annotations

from typing import Any

from flinkform.controlplane.store import deployments
from flinkform.errors import Unavailable
from flinkform.flink.fleet import SHARED, Seat
from tests.unit.controlplane.reconcile.conftest import World


def logging(**levels: str) -> dict[str, Any]:
    return {"log4jLoggers": [{"loggerName": name, "loggerLevel": level} for name, level in levels.items()]}


def relog(world: World, name: str, **levels: str) -> None:
    """Edit what a deployment logs, as an update does."""
    found = world.again(name)
    with world.store.write() as db:
        document = {**found.document, "logging": logging(**levels)}
        done = deployments.replace(db, found, document, name=name, modifier="me", now=world.clock())
        deployments.catch_up(db, done, now=world.clock())


def test_loudest(world: World) -> None:
    """Of the jobs in one JVM each gets at least what it asked for; what nobody asks for any more is taken back."""
    quiet = world.running(world.deployment("quiet", logging=logging(root="WARN")))
    loud = world.running(world.deployment("loud", logging=logging(root="ERROR", a="DEBUG")))
    assert world.flink.loud == {"": "WARN", "a": "DEBUG"}
    world.cancelled(loud)
    world.tick()
    assert world.flink.loud == {"": "WARN"}
    world.cancelled(quiet)
    world.tick()
    assert world.flink.loud == {}


def test_edited(world: World) -> None:
    """A job that runs logs otherwise from the next look on, under its id, and is no older than its deployment."""
    run = world.running(world.deployment(logging=logging(root="WARN")))
    relog(world, "bids", root="DEBUG")
    world.tick()
    assert world.flink.loud == {"": "DEBUG"}
    found = world.fresh(run)
    assert (found.state, found.revision, found.job_id) == ("RUNNING", world.again("bids").revision, run.job_id)
    assert len(world.flink.asked("submit")) == 1
    assert len(world.flink.asked("levels")) == 2


def test_edited_with_more(world: World) -> None:
    """Log levels are changed at once also where the rest of an edit waits for a new job."""
    run = world.running(world.deployment())
    world.edit(world.again("bids"), "SELECT 2")
    relog(world, "bids", root="DEBUG")
    world.tick()
    assert world.flink.loud == {"": "DEBUG"}
    assert world.fresh(run).revision < world.again("bids").revision


def test_told_again(world: World) -> None:
    """A JVM that was started anew, or did not answer, is told again; one that was told is left in peace."""
    world.running(world.deployment(logging=logging(root="DEBUG")))
    world.tick(3)
    assert len(world.flink.asked("levels")) == 1
    world.flink.crash()
    world.tick(12)
    assert world.flink.loud == {"": "DEBUG"}


def test_silent(world: World) -> None:
    """A JVM that does not take them is asked less and less often, and nothing else waits for that."""
    world.flink.levels_error = Unavailable("Flink does not run")
    world.running(world.deployment(logging=logging(root="DEBUG")))
    world.tick(20)
    assert len(world.flink.asked("levels")) < 8
    world.flink.levels_error = None
    world.tick(1, later=60_000)
    assert world.flink.loud == {"": "DEBUG"}


def test_alone(world: World) -> None:
    """A job in a JVM of its own is heard there and nowhere else."""
    own = world.ask_start(
        world.deployment("own", flinkConf={"flinkform.isolation": "own"}, logging=logging(root="TRACE"))
    )
    world.tick(3)
    assert world.others[Seat(group=own.deployment_id)].loud == {"": "TRACE"}
    assert world.bench.fleet.at(SHARED).loud == {}  # type: ignore[attr-defined]
