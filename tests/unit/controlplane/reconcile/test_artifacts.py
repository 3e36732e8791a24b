"""Files that no job needs any more go after their time; what a deployment or a run needs, or may, stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flinkform.controlplane.delivery.fetch import uploaded
from flinkform.controlplane.delivery.shelf import Shelf
from flinkform.controlplane.reconcile import artifacts, retain
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.retention import Ages
from flinkform.controlplane.store import deployments
from flinkform.resources.job import JAR_SHA256
from tests.unit.controlplane.reconcile.conftest import NS, WS, World
from tests.unit.controlplane.reconcile.fake import Inline

DAY = 86_400_000


@pytest.fixture
def shelf(world: World) -> Shelf:
    return world.bench.fetch.shelf


def put(world: World, name: str) -> Path:
    """Upload a file, as long ago as the clock tells."""
    shelf = world.bench.fetch.shelf
    with shelf.incoming() as new:
        new.write(name.encode())
        sha = new.keep()
    shelf.name(uploaded(WS, NS, name), sha)
    path = shelf.path(sha)
    os.utime(path, (world.clock.now / 1000,) * 2)
    return path


def program(world: World, name: str, *more: str, pin: str = "") -> None:
    """A deployment that runs an uploaded jar."""
    jar = {"jarUri": uploaded(WS, NS, f"{name}.jar"), "additionalDependencies": [uploaded(WS, NS, one) for one in more]}
    labels = {JAR_SHA256: pin} if pin else {}
    world.deployment(name, artifact={"kind": "JAR", "jarArtifact": jar}, labels=labels)


def test_what_is_needed_stays(world: World) -> None:
    """A program, what it needs beside it, and what it pins stay; others go once nobody needed them for so long."""
    kept = [put(world, name) for name in ("bids.jar", "lib.jar")]
    pinned, gone = put(world, "pinned.jar"), put(world, "old.jar")
    program(world, "bids", "lib.jar", pin=pinned.stem)
    world.clock.now += 2 * DAY
    fresh = put(world, "new.jar")
    artifacts.sweep(world.bench, age=DAY)
    assert [path.exists() for path in (*kept, pinned, fresh, gone)] == [True, True, True, True, False]
    assert world.bench.fetch.shelf.named(uploaded(WS, NS, "old.jar")) is None


def test_age_begins_anew(world: World) -> None:
    """The time of a file begins when nobody needs it any more, not when it was uploaded."""
    jar = put(world, "bids.jar")
    program(world, "bids")
    world.clock.now += 9 * DAY
    artifacts.sweep(world.bench, age=DAY)
    with world.store.write() as db:
        deployments.remove(db, world.again("bids"))
    world.clock.now += DAY // 2
    artifacts.sweep(world.bench, age=DAY)
    assert jar.exists()
    world.clock.now += DAY
    artifacts.sweep(world.bench, age=DAY)
    assert not jar.exists()


def test_the_loop_sweeps(world: World) -> None:
    """It is done by itself, by the age that the loop was given."""
    jar = put(world, "old.jar")
    world.loop = Loop(world.bench, executor=Inline(), ages=Ages(artifacts=DAY))
    world.tick(later=DAY + retain.SWEEP_EVERY)
    assert not jar.exists()
