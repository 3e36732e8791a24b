"""A flink_job on the cloud in memory, for the tests of what an apply makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.resources.job import RESOURCE
from tests.unit.provider.core import World

CONFIG: dict[str, Any] = {a.name: None for a in RESOURCE.attributes} | {
    "workspace": "w",
    "namespace": "n",
    "name": "a",
    "sql": "SELECT 1",
}


def config(**given: Any) -> dict[str, Any]:
    return CONFIG | given


def restored(world: World) -> dict[str, Any]:
    """The restore strategy that the newest job of `a` was started with."""
    found: dict[str, Any] = world.cloud.job("a")["restoreStrategy"]
    return found


@pytest.fixture
def world() -> World:
    return World(RESOURCE)


@pytest.fixture
def running(world: World) -> World:
    """A world with a job that runs."""
    world.apply(config())
    world.cloud.changes()
    return world
