"""What the engine of kept types asks of the API, from a declaration alone."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.errors import Conflict, NotFound, Unavailable
from flinkform.provider.plan import plan
from flinkform.resources import namespace, workspace
from tests.unit.provider.core import World

WORKSPACE: dict[str, Any] = {a.name: None for a in workspace.RESOURCE.attributes} | {
    "name": "main",
    "vpc_id": "vpc",
    "vswitch_ids": ["vsw"],
    "bucket": "bucket",
}
NAMESPACE: dict[str, Any] = {a.name: None for a in namespace.RESOURCE.attributes} | {"workspace_id": "f", "name": "n"}


def test_create() -> None:
    """What is created is waited for, and its state has what only the API knew."""
    world = World(workspace.RESOURCE)
    state = world.apply(WORKSPACE)
    assert (state["id"], state["resource_id"], state["status"]) == ("f-1", "w-f-1", "RUNNING")
    assert world.cloud.said[0][1].pop("Tag")
    assert world.cloud.said == [
        (
            "CreateInstance",
            {
                "Region": "r",
                "ArchitectureType": "X86",
                "InstanceName": "main",
                "ChargeType": "POST",
                "ResourceSpec": {"Cpu": 10, "MemoryGB": 40},
                "VpcId": "vpc",
                "VSwitchIds": ["vsw"],
                "Storage": {"Oss": {"Bucket": "bucket"}},
            },
        )
    ]


def test_update() -> None:
    """An update sends the key and what the operation takes, waits, and reads back."""
    world = World(workspace.RESOURCE)
    world.apply(WORKSPACE)
    world.cloud.changes()
    state = world.apply({**WORKSPACE, "cpu": 20})
    assert (state["cpu"], state["status"]) == (20, "RUNNING")
    assert world.cloud.said == [
        ("ModifyInstanceSpec", {"Region": "r", "InstanceId": "f-1", "ResourceSpec": {"Cpu": 20, "MemoryGB": 80}})
    ]


def test_places() -> None:
    """A declaration may name another place for an operation: a namespace's cores."""
    world = World(namespace.RESOURCE)
    world.apply(NAMESPACE)
    world.apply({**NAMESPACE, "cpu": 8})
    sent = dict(world.cloud.said)["ModifyNamespaceSpecV2"]
    assert sent["GuaranteedResourceSpec"] == {"Cpu": 8, "MemoryGB": 32}
    assert (sent["InstanceId"], sent["Namespace"]) == ("f", "n")


def test_ignored_update() -> None:
    """An update that is accepted and not carried out is an error after a while."""
    world = World(namespace.RESOURCE)
    world.apply(NAMESPACE)
    world.cloud.ignored.add("GuaranteedResourceSpec")
    with pytest.raises(Conflict, match="kept another cpu") as raised:
        world.apply({**NAMESPACE, "cpu": 8})
    assert raised.value.at == ("cpu",)
    assert world.time.now < 30
    assert world.result.state is not None
    assert world.result.state["cpu"] == 4


def test_taken() -> None:
    """What is there already is not taken over; the error says how to import it."""
    world = World(namespace.RESOURCE)
    world.apply(NAMESPACE)
    with pytest.raises(Conflict, match="exists already; import it with id 'f/n'"):
        World(namespace.RESOURCE, world.cloud).apply(NAMESPACE)


def test_lost_create() -> None:
    """A create whose answer was lost is adopted, since nothing had that key a moment before."""
    world = World(namespace.RESOURCE)
    world.cloud.lost["CreateNamespace"] = 1
    assert world.apply(NAMESPACE)["id"] == "f/n"


def test_lost_key() -> None:
    """Where only the API knows the key, what was created is found by its tag, not by its name."""
    world = World(workspace.RESOURCE)
    other = World(workspace.RESOURCE, world.cloud).apply(WORKSPACE)
    world.cloud.lost["CreateInstance"] = 1
    assert world.apply(WORKSPACE)["id"] != other["id"]
    assert len(world.cloud.instances) == 2


def test_interrupted() -> None:
    """Ctrl-C while something is being made leaves it, with a state the next plan goes on from."""
    world = World(workspace.RESOURCE)
    world.time.limit = 0.1
    state = world.apply(WORKSPACE)
    assert "stopped waiting" in world.result.warnings[0]
    assert (state["id"], state["status"]) == ("f-1", "RUNNING")
    world.time.limit = float("inf")
    assert world.plan(WORKSPACE).values is world.result.state


def test_refused_create() -> None:
    """A create that never happened leaves no state."""
    world = World(namespace.RESOURCE)
    world.cloud.down.add("CreateNamespace")
    with pytest.raises(Unavailable):
        world.apply(NAMESPACE)
    assert world.result.state is None


def test_fuzzy_filters() -> None:
    """A filter that matches more than the name does not find another namespace."""
    world = World(namespace.RESOURCE)
    other = World(namespace.RESOURCE, world.cloud)
    other.apply({**NAMESPACE, "name": "nn"})
    assert world.apply(NAMESPACE)["id"] == "f/n"


def test_failing_create(monkeypatch: pytest.MonkeyPatch) -> None:
    """A create that ends in a state that is neither pending nor done is an error; what is there stays in state."""
    world = World(namespace.RESOURCE)
    world.cloud.call("CreateNamespace", {"InstanceId": "f", "Namespace": "x"})
    made = plan(namespace.RESOURCE, prior=None, proposed={**NAMESPACE, "cpu": 4, "ha": False}, config=NAMESPACE)
    assert made.values is not None
    describe = world.cloud._DescribeNamespaces

    def failed(params: Any, body: Any) -> Any:
        found = describe(params, body)
        return {"Namespaces": [{**n, "Status": "FAILED"} for n in found["Namespaces"]]}

    monkeypatch.setattr(world.cloud, "_DescribeNamespaces", failed)
    with pytest.raises(Conflict, match="is FAILED, expected SUCCESS"):
        world.engine().create(made.values, world.result)
    assert world.result.state is not None
    assert world.result.state["status"] == "FAILED"


def test_delete() -> None:
    """A delete is waited for; what is gone already is deleted."""
    world = World(namespace.RESOURCE)
    world.apply(NAMESPACE)
    gone = dict(world.result.state or {})
    world.destroy()
    assert not world.cloud.namespaces
    world.result.state = gone
    world.destroy()


def test_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no longer listed is asked for alone before it counts as gone, also when what held it is gone."""
    world = World(namespace.RESOURCE)
    world.apply(NAMESPACE)
    world.cloud.namespaces.clear()
    world.cloud.calls.clear()
    assert world.refresh() is None
    assert dict(world.cloud.calls) == {"DescribeNamespaces": 2}

    def gone(*_: Any) -> Any:
        raise NotFound("no such instance")

    world = World(namespace.RESOURCE)
    world.apply(NAMESPACE)
    monkeypatch.setattr(world.cloud, "_DescribeNamespaces", gone)
    assert world.refresh() is None


def test_cached() -> None:
    """After the first read of a list the others need no call."""
    world = World(namespace.RESOURCE)
    state = world.apply(NAMESPACE)
    engine = world.engine()
    assert engine.cached(state, {}) is None
    engine.read(state, {})
    world.cloud.calls.clear()
    assert engine.cached(state, {}) == state
    assert not world.cloud.calls
