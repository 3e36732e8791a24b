"""Instances and namespaces pass through the states their API promises."""

from __future__ import annotations

from flinkform.controlplane.store import instances, namespaces
from flinkform.errors import NotFound
from tests.unit.controlplane.reconcile.conftest import NS, World


def statuses(world: World) -> tuple[str | None, str | None]:
    with world.store.read() as db:
        try:
            instance = instances.get(db, "f-1").status
        except NotFound:
            return None, None
        try:
            return instance, namespaces.get(db, "f-1", NS).status
        except NotFound:
            return instance, None


def test_creating_takes_its_time(world: World) -> None:
    """Nothing is there the moment it is asked for, and everything soon after."""
    assert statuses(world) == ("CREATING", "CREATING")
    world.tick(later=100)
    assert statuses(world) == ("CREATING", "CREATING")
    world.tick(later=100)
    assert statuses(world) == ("RUNNING", "SUCCESS")


def test_modifying_comes_back(world: World) -> None:
    """A change is MODIFYING until it is done."""
    world.tick()
    with world.store.write() as db:
        namespaces.modify(db, "f-1", NS, {"ResourceSpec": {"Cpu": 8}}, now=world.clock())
        instances.modify(db, "f-1", {"ResourceSpec": {"Cpu": 8}}, now=world.clock())
    assert statuses(world) == ("MODIFYING", "MODIFYING")
    world.tick()
    assert statuses(world) == ("RUNNING", "SUCCESS")


def test_deleting_ends(world: World) -> None:
    """What is deleted is DELETING first, then gone; an instance takes its namespaces along."""
    world.tick()
    with world.store.write() as db:
        namespaces.request_delete(db, "f-1", NS, now=world.clock())
    assert statuses(world) == ("RUNNING", "DELETING")
    world.tick()
    assert statuses(world) == ("RUNNING", None)
    with world.store.write() as db:
        instances.request_delete(db, "f-1", now=world.clock())
    world.tick()
    assert statuses(world) == (None, None)
