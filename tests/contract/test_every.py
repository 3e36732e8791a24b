"""What types that are more than kept promise as well: workspaces, namespaces and jobs, of a script and of a jar."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from flinkform.errors import NotFound
from flinkform.provider import record, sources
from flinkform.resources import DATA_SOURCES, RESOURCES
from flinkform.schema.model import Change, Origin, Resource
from tests.contract.served import served
from tests.contract.test_kept import ENGINES, KEPT, Plane, another, changes, editable, installed
from tests.unit.provider.clock import Time
from tests.unit.provider.core import World

TYPES = {one.name: one for one in RESOURCES}
SPACE = {"vpc_id": "v", "vswitch_ids": ["s"], "bucket": "b"}


@dataclass(frozen=True, slots=True)
class Case:
    """A type, what is given of it, and other values of attributes that not every value would do for."""

    type: str
    given: Callable[[Plane], dict[str, Any]]
    others: Mapping[str, Callable[[Plane], Any]]

    @property
    def resource(self) -> Resource:
        return TYPES[self.type]

    def config(self, plane: Plane) -> dict[str, Any]:
        return {a.name: None for a in self.resource.attributes} | self.given(plane)

    def other(self, plane: Plane, name: str, than: Any) -> Any:
        """Return another value of an attribute."""
        attribute = self.resource.attribute(name)
        return self.others[name](plane) if name in self.others else another(plane, attribute, than)


def jar(plane: Plane, content: bytes, *, by: str = "source") -> dict[str, Any]:
    """Return a program that is a file of this machine, uploaded or fetched by its URI."""
    file = plane.files / f"{len(content)}.jar"  # type: ignore[attr-defined]
    file.write_bytes(content)
    given = {by: str(file) if by == "source" else file.as_uri(), "sha256": hashlib.sha256(content).hexdigest()}
    return dict.fromkeys(a.name for a in TYPES["job"].attribute("jar").nested) | given


def instance(plane: Plane) -> str:
    """Return the id of the instance that the namespaces are in."""
    (shown,) = (one for one in plane.client.pages("DescribeInstances") if one["InstanceName"] == "main")
    return str(shown["InstanceId"])


SHARED = {
    "engine_version": lambda _: ENGINES[1],
    "deployment_target": lambda plane: plane.referred("deployment_target"),
    "flink_options": lambda _: {"execution.checkpointing.interval": "2 min"},
}
CASES = {
    "workspace": Case("workspace", lambda _: {"name": "other", **SPACE}, {}),
    "namespace": Case("namespace", lambda plane: {"workspace_id": instance(plane), "name": "team", "cpu": 1}, {}),
    "script": Case("job", lambda plane: {**plane.place, "name": "script", "sql": "SELECT 1"}, SHARED),
    "program": Case(
        "job",
        lambda plane: {**plane.place, "name": "program", "jar": jar(plane, b"one")},
        {**SHARED, "jar": lambda plane: jar(plane, b"another")},
    ),
    "fetched": Case(
        "job",
        lambda plane: {**plane.place, "name": "fetched", "jar": jar(plane, b"one", by="uri")},
        {**SHARED, "jar": lambda plane: jar(plane, b"another", by="uri")},
    ),
}
EVERY = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """One control plane for all of this module."""
    home = tmp_path_factory.mktemp("home")
    installed(home)
    with served(home) as running:
        made = Plane(running)
        made.files = tmp_path_factory.mktemp("files")  # type: ignore[attr-defined]
        yield made
        made.client.close()


@pytest.fixture
def world(case: Case, plane: Plane) -> Iterator[World]:
    """Where things of the type are made; what is left is destroyed."""
    made = paced(plane, case)
    yield made
    if made.result.state:
        made.destroy()


class Paced(Time):
    """Time that goes by fifty times as fast as it is said to: the control plane works in that of the machine."""

    def wait(self, timeout: float | None = None) -> bool:
        time.sleep(min(timeout or 0, 1) / 50)
        return super().wait((timeout or 0) / 50)


def paced(plane: Plane, case: Case) -> World:
    made = plane.world(case.resource)
    made.time = Paced()
    return made


def ours(resource: Resource) -> set[str]:
    """Return what only Terraform knows, and what it is told while it plans."""
    return {a.name for a in resource.attributes if a.path is None or a.origin is Origin.FORETOLD}


def test_no_type_is_left_out() -> None:
    """Every type is tested by its declaration: here, or as one that is only kept."""
    assert {case.type for case in CASES.values()} | set(KEPT) == set(TYPES)


@EVERY
def test_applied_plans_empty(case: Case, plane: Plane, world: World) -> None:
    """What was applied plans empty, and so does what is imported by its id."""
    config = case.config(plane)
    state = world.apply(config)
    assert changes(world, config) == set()
    again = plane.world(case.resource)
    again.result.state = record.imported(case.resource, str(state["id"]))
    # Nobody knows which file of this machine was uploaded, but that it was this one.
    uploaded = {"jar"} if (config.get("jar") or {}).get("source") else set()
    assert changes(again, config) <= ours(case.resource) | uploaded
    again.time = Paced()
    again.apply(config)
    assert changes(again, config) == set()
    if case.type == "job":
        runs = plane.client.pages("ListJobs", {**plane.place, "deploymentId": state["deployment_id"]})
        assert len(list(runs)) == 1


@EVERY
def test_every_attribute(case: Case, plane: Plane, world: World) -> None:
    """Each attribute changes in place, drifts and is mended, and goes back when it is taken away."""
    config = case.config(plane)
    stranger = paced(plane, case)
    key = world.apply(config)["id"]
    for attribute in editable(case.resource):
        name, was = attribute.name, world.result.state[attribute.name]
        if attribute.exclusive and config[name] is None:
            continue
        given = {**config, name: case.other(plane, name, was)}
        world.apply(given)
        assert changes(world, given) == set(), name
        stranger.result.state, stranger.result.private = dict(world.result.state), dict(world.result.private)
        stranger.apply({**config, name: config[name] if attribute.exclusive else was})
        assert name in changes(world, given)
        passing = {case.resource.wait.attribute} if case.resource.wait else set()
        assert changes(world, given) - ours(case.resource) - passing == {name}
        assert world.apply(given)["id"] == key
        assert changes(world, given) == set(), name
        back = config if attribute.origin is not Origin.EITHER else {**config, name: was}
        world.apply(back)
        assert changes(world, back) == set(), name
        if not attribute.exclusive:
            assert world.result.state[name] == was


@EVERY
def test_replaced(case: Case, plane: Plane, world: World) -> None:
    """What can never change makes a new one."""
    config = case.config(plane)
    world.apply(config)
    place = {a.name for a in case.resource.scope}
    for attribute in case.resource.attributes:
        if attribute.writable and attribute.change is Change.REPLACE and attribute.name not in place:
            given = {**config, attribute.name: case.other(plane, attribute.name, world.result.state[attribute.name])}
            assert (attribute.name,) in world.plan(given).replace, attribute.name


@EVERY
def test_looked_up(case: Case, plane: Plane, world: World) -> None:
    """Data sources find it alone and among all, and say so where there is none."""
    state = world.apply(case.config(plane))
    for source in (one for one in DATA_SOURCES if one.of is case.resource):
        asked = {a.name: state[a.name] for a in source.arguments if a.origin is Origin.REQUIRED}
        found = sources.read(source, asked if source.plural else {**asked, "name": state["name"]}, plane.session())
        rows = found[source.plural] if source.plural else [found]
        (row,) = [row for row in rows if row["id"] == state["id"]]
        told = {name: row[name] for name in row if name in state and name not in ("jar", *ours(case.resource))}
        assert told == {name: state[name] for name in told}
    world.destroy()
    for source in (one for one in DATA_SOURCES if one.of is case.resource and not one.plural):
        with pytest.raises(NotFound, match="expected one"):
            sources.read(source, {**asked, "name": state["name"]}, plane.session())
