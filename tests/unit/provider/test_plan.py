"""The plan's promises, as tables and for every type."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from flinkform.provider.plan import plan
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.provider.values import known
from flinkform.resources import RESOURCES, job, namespace
from flinkform.schema.model import Change, Origin, Resource
from tests.unit.provider.core import World, configs, planned

EVERY = pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.name)
# The same is asked of those that are only kept in tests/contract/test_kept.py, of a whole control plane.
BEHAVING = pytest.mark.parametrize("resource", [r for r in RESOURCES if not r.kept], ids=lambda r: r.name)
QUICK = settings(max_examples=25, phases=(Phase.generate,))

BLANK: dict[str, Any] = {a.name: None for a in job.RESOURCE.attributes}
CONFIG = {**BLANK, "workspace": "w", "namespace": "n", "name": "a", "sql": "SELECT 1"}
STATE = {
    **CONFIG,
    "id": "w/n/d",
    "deployment_id": "d",
    "engine_version": "vvr-1",
    "execution_mode": "STREAMING",
    "deployment_target": "default-queue",
    "parallelism": 1,
    "state": "running",
    "upgrade": {"mode": "savepoint", "fallback": True, "on_incompatible": "fail"},
    "allow_non_restored_state": False,
    "savepoint_on_destroy": True,
    "deletion_protection": False,
}


def job_plan(config: dict[str, Any], state: dict[str, Any] | None = STATE) -> Any:
    return planned(job.RESOURCE, state, {**CONFIG, **config})


def test_create() -> None:
    """A new object has its defaults, and unknown for what only the API can say."""
    made = job_plan({}, None)
    assert made.values == {**STATE, "id": UNKNOWN, "deployment_id": UNKNOWN, "engine_version": UNKNOWN}
    assert made.replace == ()


def test_unchanged() -> None:
    """An unchanged configuration plans the prior object itself."""
    assert job_plan({}).values is STATE


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"parallelism": 8}, {"parallelism": 8}),
        (
            {"upgrade": {"mode": "latest", "fallback": None, "on_incompatible": None}},
            {"upgrade": {"mode": "latest", "fallback": True, "on_incompatible": "fail"}},
        ),
        ({"flink_options": {"a": UNKNOWN}}, {"flink_options": {"a": UNKNOWN}}),
        ({"sql": UNKNOWN}, {"sql": UNKNOWN}),
        ({"parallelism": UNKNOWN}, {"parallelism": UNKNOWN}),
        ({"upgrade": UNKNOWN}, {"upgrade": UNKNOWN}),
        ({"engine_version": "vvr-2"}, {"engine_version": "vvr-2"}),
    ],
)
def test_changes(config: dict[str, Any], expected: dict[str, Any]) -> None:
    """A change shows what was configured, with nested defaults, and keeps what stays the same in sight."""
    made = job_plan(config)
    assert made.values == {**STATE, **expected}
    assert made.replace == ()


@pytest.mark.parametrize(
    ("name", "kept", "back"),
    [
        ("parallelism", 8, 1),
        ("state", "suspended", "running"),
        ("description", "x", None),
        ("labels", {"a": "b"}, None),
    ],
)
def test_removed(name: str, kept: Any, back: Any) -> None:
    """An attribute that is taken out of the configuration goes back to its default."""
    assert job_plan({}, {**STATE, name: kept}).values[name] == back


def test_nested_removed() -> None:
    """An attribute that is taken out of an object goes back to its default too."""
    state = {**STATE, "upgrade": {"mode": "latest", "fallback": False, "on_incompatible": "drop_partial"}}
    made = job_plan({"upgrade": {"mode": "latest", "fallback": None, "on_incompatible": None}}, state)
    assert made.values["upgrade"] == {"mode": "latest", "fallback": True, "on_incompatible": "fail"}


@pytest.mark.parametrize("observed", ["failed", "outdated", "suspended"])
def test_drift(observed: str) -> None:
    """A job that is not running as it should is a change."""
    assert job_plan({}, {**STATE, "state": observed}).values == STATE


def test_replace() -> None:
    """What only a new object can have replaces the old, and nothing computed survives that."""
    made = job_plan({"execution_mode": "BATCH", "namespace": UNKNOWN})
    assert set(made.replace) == {("execution_mode",), ("namespace",)}
    assert made.values["deployment_id"] is UNKNOWN
    assert made.values["engine_version"] is UNKNOWN
    assert made.faults == ()


def test_protected() -> None:
    """A protected object is neither replaced nor destroyed; the refusal names the attribute."""
    state = {**STATE, "deletion_protection": True}
    replaced = job_plan({"deletion_protection": True, "name": "a", "execution_mode": "BATCH"}, state)
    destroyed = plan(job.RESOURCE, prior=state, proposed=None, config=None)
    for made in (replaced, destroyed):
        assert [fault.at for fault in made.faults] == [("deletion_protection",)]
    assert job_plan({"deletion_protection": False}, state).faults == ()


def test_destroy() -> None:
    """A destroy plans nothing."""
    made = plan(job.RESOURCE, prior=STATE, proposed=None, config=None)
    assert (made.values, made.replace, made.faults) == (None, (), ())


def test_unstable() -> None:
    """A computed value that an update may change is unknown only when there is an update."""
    state = {"id": "f/n", "workspace_id": "f", "name": "n", "cpu": 4, "ha": False, "status": "SUCCESS"}
    config = {**dict.fromkeys(state), "workspace_id": "f", "name": "n"}
    assert planned(namespace.RESOURCE, state, config).values is state
    made = planned(namespace.RESOURCE, state, {**config, "cpu": 8})
    assert made.values == {**state, "cpu": 8, "status": UNKNOWN}


@BEHAVING
@QUICK
@given(data=st.data())
def test_plans_are_stable(resource: Resource, data: st.DataObject) -> None:
    """For every type: what was applied plans empty, and what is read back does."""
    world = World(resource)
    config = data.draw(configs(resource))
    state = world.apply(config)
    assert changes(world, config) == {}
    assert world.result.state == state


@BEHAVING
@QUICK
@given(data=st.data())
def test_changes_arrive(resource: Resource, data: st.DataObject) -> None:
    """For every type: after any change, attributes taken away included, the same configuration plans empty."""
    world = World(resource)
    world.apply(data.draw(configs(resource)) | _free(resource))
    config = data.draw(configs(resource)) | _free(resource)
    world.apply(config)
    assert changes(world, config) == {}


@EVERY
@QUICK
@given(data=st.data())
def test_unknowns_stay(resource: Resource, data: st.DataObject) -> None:
    """For every type: what is unknown in the configuration is unknown in the plan, and nothing else that is given."""
    made = planned(resource, None, data.draw(configs(resource, unknown=True)))
    assert made.values is not None
    for attribute in resource.attributes:
        if attribute.origin is Origin.COMPUTED:
            assert made.values[attribute.name] is UNKNOWN
    assert known({a.name: a.default for a in resource.attributes})


@BEHAVING
@QUICK
@given(data=st.data())
def test_replacements(resource: Resource, data: st.DataObject) -> None:
    """For every type: a plan replaces exactly when an attribute that costs a new object changes."""
    world = World(resource)
    state = world.apply(data.draw(configs(resource)) | _free(resource))
    made = planned(resource, state, data.draw(configs(resource)))
    assert made.values is not None
    dear = {
        (a.name,)
        for a in resource.attributes
        if a.change is Change.REPLACE and made.values[a.name] != state[a.name] and a.writable
    }
    assert set(made.replace) == dear


def changes(world: World, config: dict[str, Any]) -> dict[str, Any]:
    """Return what a plan would change, before and after; an empty plan must be the prior object itself."""
    values = world.plan(config).values or {}
    state = world.result.state or {}
    found = {name: (state.get(name), value) for name, value in values.items() if state.get(name) != value}
    assert bool(found) is (values is not state)
    return found


def _free(resource: Resource) -> dict[str, Any]:
    """Return the values that let an object be replaced."""
    return {"deletion_protection": False} if any(a.name == "deletion_protection" for a in resource.attributes) else {}
