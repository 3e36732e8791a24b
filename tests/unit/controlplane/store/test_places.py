"""Instances and namespaces as the console's operations need them."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from flinkform.controlplane.store import instances, namespaces
from flinkform.controlplane.store.instances import Instance
from flinkform.errors import Conflict, NotFound
from tests.unit.controlplane.store.conftest import Make

pytestmark = pytest.mark.both


def instance(db: Connection, name: str = "main", now: int = 1) -> Instance:
    return instances.create(
        db, f"f-{name}", workspace="ws" if name == "main" else f"ws-{name}", name=name, region="r", document={}, now=now
    )


def settled(db: Connection) -> Instance:
    made = instance(db)
    namespaces.create(db, made.id, "team", document={}, now=1)
    instances.settle(db, made.id, "RUNNING", now=1)
    namespaces.settle(db, made.id, "team", "SUCCESS", now=1)
    return instances.get(db, made.id)


def test_both_ids_lead_to_an_instance(db: Connection) -> None:
    """The console asks by instance id, the jobs' operations by ResourceId; the wrong one is pointed out."""
    made = instance(db)
    assert instances.get(db, "f-main") == made == instances.by_workspace(db, "ws")
    with pytest.raises(NotFound, match="wants an instance's ResourceId"):
        instances.by_workspace(db, "f-main")


def test_ids_are_taken_once(db: Connection) -> None:
    """No two instances or namespaces of one name."""
    made = instance(db)
    with pytest.raises(Conflict):
        instance(db)
    namespaces.create(db, made.id, "team", document={}, now=1)
    with pytest.raises(Conflict, match="namespace team exists already"):
        namespaces.create(db, made.id, "team", document={}, now=1)
    with pytest.raises(NotFound, match="no instance f-none"):
        namespaces.create(db, "f-none", "team", document={}, now=1)


def test_lists_are_filtered_and_paged(db: Connection) -> None:
    """Lists are oldest first and narrow by region, id or name."""
    for number, name in enumerate(("main", "b", "c")):
        instance(db, name, now=number)
    assert [one.name for one in instances.page(db).items] == ["main", "b", "c"]
    assert [one.name for one in instances.page(db, offset=1, limit=1).items] == ["b"]
    assert instances.page(db, region="other").total == 0
    assert instances.page(db, name="b", instance_id="f-b").total == 1
    for name in ("x", "y"):
        namespaces.create(db, "f-main", name, document={}, now=1)
    assert [one.name for one in namespaces.page(db, "f-main").items] == ["x", "y"]
    assert namespaces.page(db, "f-main", name="y").total == 1
    assert namespaces.within(db, "ws", "y").instance_id == "f-main"
    with pytest.raises(NotFound, match="no namespace z in workspace ws"):
        namespaces.within(db, "ws", "z")


def test_change_needs_rest(db: Connection) -> None:
    """What is on its way to one state is not sent to another; tags may change at any time."""
    made = settled(db)
    assert instances.modify(db, made.id, {"a": 1}, now=2).status == "MODIFYING"
    assert namespaces.modify(db, made.id, "team", {"a": 1}, now=2).status == "MODIFYING"
    with pytest.raises(Conflict, match="expected instance f-main RUNNING, got MODIFYING"):
        instances.modify(db, made.id, {}, now=3)
    with pytest.raises(Conflict, match="expected namespace team in SUCCESS, got MODIFYING"):
        namespaces.modify(db, made.id, "team", {}, now=3)
    assert instances.amend(db, made.id, {"b": 1}, now=3).document == {"b": 1}
    assert namespaces.amend(db, made.id, "team", {"b": 1}, now=3).status == "MODIFYING"


def test_occupied_places_stay(db: Connection, deploy: Make) -> None:
    """Neither a namespace with deployments nor its instance is deleted."""
    made = settled(db)
    deploy("a")
    with pytest.raises(Conflict, match="namespace team still holds deployments"):
        namespaces.request_delete(db, made.id, "team", now=2)
    with pytest.raises(Conflict, match="still holds deployments in team"):
        instances.request_delete(db, made.id, now=2)
