"""What every type that is only kept promises, from its declaration: the provider's engine on a whole control plane."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from flinkform.client.api import Client
from flinkform.client.credentials import Credentials
from flinkform.client.endpoints import Endpoints
from flinkform.errors import Conflict, NotFound
from flinkform.flink import engines
from flinkform.provider import record, sources
from flinkform.provider.lists import Lists
from flinkform.provider.session import Session
from flinkform.resources import DATA_SOURCES, RESOURCES
from flinkform.schema.model import Attribute, Change, Origin, Resource
from flinkform.schema.types import MapOf
from tests.contract.served import Served, served, until
from tests.unit.provider.clock import Time
from tests.unit.provider.core import World, configs

KEPT = {one.name: one for one in RESOURCES if one.kept}
EVERY = pytest.mark.parametrize("resource", KEPT.values(), ids=lambda one: one.name)
FEW = settings(
    max_examples=6,
    phases=(Phase.generate,),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
REGION = "cn-hangzhou"
ENGINES = ("vvr-flinkform-flink-2.3", "vvr-flinkform-flink-1.20")


class Plane:
    """A workspace with a namespace on a control plane that listens, and a client that is let in."""

    def __init__(self, running: Served) -> None:
        key = Credentials(key_id=running.key.id, secret=running.key.secret)
        ends = Endpoints(console=running.endpoint, ververica=running.endpoint)
        self.client = Client(key, ends, region=REGION)
        made = self.client.call(
            "CreateInstance",
            {
                "InstanceName": "main",
                "ChargeType": "POST",
                "VpcId": "v",
                "VSwitchIds": ["s"],
                "Storage": {"Oss": {"Bucket": "b"}},
            },
        )
        instance = made["OrderInfo"]["InstanceId"]

        def ready() -> bool:
            found = self.client.call("DescribeNamespaces", {"InstanceId": instance})["Namespaces"]
            return bool(found) and found[0]["Status"] == "SUCCESS"

        until(ready, "the default namespace")
        (shown,) = self.client.call("DescribeInstances", {"InstanceId": instance})["Instances"]
        self.place = {"workspace": shown["ResourceId"], "namespace": "main-default"}
        self._numbers = itertools.count(1)
        self._referred: dict[str, str] = {}

    def world(self, resource: Resource) -> World:
        return World(resource, self.client)

    def config(self, resource: Resource, drawn: dict[str, Any]) -> dict[str, Any]:
        """Return a configuration that was drawn, in this place and with references to what there is."""
        refers = {a.name: self.referred(a.refers) for a in resource.attributes if a.refers and drawn.get(a.name)}
        # An import cannot know that somebody wrote `{}` for nothing.
        told = {name: None if value in ([], {}) else value for name, value in drawn.items()}
        engine = {"engine_version": ENGINES[0]} if drawn.get("engine_version") not in (None, *ENGINES) else {}
        return {**told, **self.place, **refers, **engine}

    def least(self, resource: Resource, **given: Any) -> dict[str, Any]:
        """Return a configuration of what is required alone, unlike any other."""
        config = {a.name: None for a in resource.attributes} | self.place
        for attribute in resource.attributes:
            if attribute.origin is Origin.REQUIRED and config[attribute.name] is None:
                config[attribute.name] = other(attribute, next(self._numbers))
        return self.config(resource, config | given)

    def referred(self, name: str) -> str:
        """Return the key of a thing that others may refer to."""
        if name not in self._referred:
            made = self.world(KEPT[name]).apply(self.least(KEPT[name]))
            self._referred[name] = str(made[KEPT[name].own.name])
        return self._referred[name]

    def session(self) -> Session:
        time = Time()
        return Session(client=self.client, lists=Lists(self.client), stop=time, clock=time)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """One control plane for all of this module."""
    home = tmp_path_factory.mktemp("home")
    installed(home)
    with served(home) as running:
        made = Plane(running)
        yield made
        made.client.close()


def installed(home: Path) -> None:
    """Let a second engine be there, of which nobody runs anything."""
    lib = engines.folder(home / "engines", "1.20") / "lib"
    lib.mkdir(parents=True)
    (lib / "flink-dist-1.20.0.jar").touch()


def other(attribute: Attribute, number: int) -> Any:
    """Return a value that the attribute may have, another one for each *number*."""
    kind = attribute.type
    if isinstance(kind, MapOf):
        return {"k": other(replace(attribute, type=kind.item), number)}
    texts = (f"v{number}", f"{number}Gi", f"{number}m")
    for candidate in (*texts, number, float(number), bool(number % 2), [f"v{number}"]):
        try:
            kind.check(candidate, ())
        except Exception:  # noqa: BLE001, S112 - a value of another type
            continue
        return candidate
    choices = getattr(kind, "choices", ())
    if choices:
        return choices[number % len(choices)]
    raise AssertionError(f"no value for {attribute.name}")


def changes(world: World, config: dict[str, Any]) -> set[str]:
    """Return the attributes that a plan for *config* changes."""
    values = world.plan(config).values
    assert values is not None
    return {name for name, value in values.items() if (world.result.state or {}).get(name) != value}


def editable(resource: Resource) -> list[Attribute]:
    """Return the attributes whose change is seen in the API and needs no new thing."""
    return [
        a
        for a in resource.attributes
        if a.writable and a.path and not a.write_only and a.change is not Change.REPLACE and a is not resource.own
    ]


def another(plane: Plane, attribute: Attribute, than: Any) -> Any:
    """Return a value of *attribute* other than *than*."""
    if attribute.refers:
        return plane.referred(attribute.refers)
    if attribute.name == "engine_version":
        return next(name for name in ENGINES if name != than)
    return next(value for n in range(2, 9) if (value := other(attribute, n)) != than)


@EVERY
@FEW
@given(data=st.data())
def test_applied_plans_empty(plane: Plane, resource: Resource, data: st.DataObject) -> None:
    """What was applied plans empty, and so does what is imported by its id."""
    config = plane.config(resource, data.draw(configs(resource)))
    world = plane.world(resource)
    try:
        state = world.apply(config)
        assert changes(world, config) == set()
        assert world.result.state == state
        again = plane.world(resource)
        again.result.state = record.imported(resource, str(state["id"]))
        ours = {a.name for a in resource.attributes if a.path is None}
        assert changes(again, config) <= ours
    finally:
        if world.result.state:
            world.destroy()


@EVERY
@FEW
@given(data=st.data())
def test_changes_arrive(plane: Plane, resource: Resource, data: st.DataObject) -> None:
    """After any change, attributes taken away included, the same configuration plans empty."""
    world = plane.world(resource)
    try:
        world.apply(plane.config(resource, data.draw(configs(resource))))
        config = plane.config(resource, data.draw(configs(resource)))
        world.apply(config)
        assert changes(world, config) == set()
    finally:
        if world.result.state:
            world.destroy()


@EVERY
def test_every_attribute(plane: Plane, resource: Resource) -> None:
    """Each attribute changes in place, drifts and is mended, and goes back to its default when it is taken away."""
    config = plane.least(resource)
    world, stranger = plane.world(resource), plane.world(resource)
    key = world.apply(config)["id"]
    for attribute in editable(resource):
        was = world.result.state[attribute.name]
        given = {**config, attribute.name: another(plane, attribute, was)}
        assert world.apply(given)[attribute.name] == given[attribute.name]
        stranger.result.state = dict(world.result.state)
        stranger.apply({**config, attribute.name: was})
        passing = {resource.wait.attribute} if resource.wait else set()
        assert changes(world, given) - passing == {attribute.name}
        assert world.apply(given)["id"] == key
        back = config if attribute.origin is not Origin.EITHER else {**config, attribute.name: was}
        assert world.apply(back)[attribute.name] == was
        assert changes(world, back) == set()
    world.destroy()


@EVERY
def test_gone_and_taken(plane: Plane, resource: Resource) -> None:
    """What somebody removed is made again; what somebody else made is not taken over; removing twice is no error."""
    config = plane.least(resource)
    world = plane.world(resource)
    first = world.apply(config)
    with pytest.raises(Conflict, match="exists already"):
        plane.world(resource).apply(config)
    plane.world(resource).engine().delete(first, plane.world(resource).result)
    assert world.refresh() is None
    world.apply(config)
    state = dict(world.result.state or {})
    world.destroy()
    world.result.state = state
    world.destroy()


@EVERY
def test_replaced(plane: Plane, resource: Resource) -> None:
    """What can never change makes a new one, and the API refuses to change it."""
    config = plane.least(resource)
    world = plane.world(resource)
    world.apply(config)
    place = {a.name for a in resource.scope}
    for attribute in resource.attributes:
        if attribute.writable and attribute.change is Change.REPLACE and attribute.name not in place:
            wanted = another(plane, attribute, config[attribute.name])
            assert world.plan({**config, attribute.name: wanted}).replace == ((attribute.name,),)
    world.destroy()


@EVERY
def test_looked_up(plane: Plane, resource: Resource) -> None:
    """Data sources find it alone and among all, and say so where there is none."""
    config = plane.least(resource)
    world = plane.world(resource)
    state = world.apply(config)
    for source in (one for one in DATA_SOURCES if one.of is resource):
        asked = {a.name: state[a.name] for a in source.arguments if a.origin is Origin.REQUIRED}
        if resource.own.name in {a.name for a in source.arguments}:
            asked[resource.own.name] = state[resource.own.name]
        found = sources.read(source, asked, plane.session())
        rows = found[source.plural] if source.plural else [found]
        (row,) = [row for row in rows if row["id"] == state["id"]]
        assert {name: row[name] for name in row if name in state} == {
            name: state[name] for name in row if name in state
        }
    world.destroy()
    for source in (one for one in DATA_SOURCES if one.of is resource and not one.plural):
        with pytest.raises(NotFound, match="expected one"):
            sources.read(source, asked, plane.session())
