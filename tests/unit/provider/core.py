"""What terraform core does around the provider: merge configuration and state, and hold the provider to its plan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hypothesis import strategies as st

from flinkform.provider import check
from flinkform.provider.job import Jobs
from flinkform.provider.lists import Lists
from flinkform.provider.plan import Plan, plan
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.provider.provenance import NOWHERE
from flinkform.provider.service import Kind
from flinkform.provider.session import Result, Session
from flinkform.provider.upgrade import noted
from flinkform.provider.values import Values, known
from flinkform.schema.model import Attribute, Origin, Resource
from flinkform.schema.types import Bool, ListOf, MapOf, Number, Object, String, Type
from tests.unit.provider.clock import Time
from tests.unit.provider.cloud import Cloud


def proposed(attributes: Iterable[Attribute], prior: Values | None, config: Values) -> dict[str, Any]:
    """Return core's merge: what is configured, else what is kept of computed attributes, else null."""
    return {a.name: _proposed(a, (prior or {}).get(a.name), config.get(a.name)) for a in attributes}


def _proposed(attribute: Attribute, prior: Any, config: Any) -> Any:
    if attribute.write_only:
        return None
    computed = attribute.origin in (Origin.COMPUTED, Origin.FORETOLD, Origin.EITHER) or attribute.default is not None
    if config is None:
        return prior if computed else None
    if attribute.nested and isinstance(config, Mapping):
        return proposed(attribute.nested, prior if isinstance(prior, Mapping) else None, config)
    return config


def planned(resource: Resource, prior: Values | None, config: Values) -> Plan:
    """Plan as core does for a configuration that is not a destroy."""
    merged = proposed(resource.attributes, prior, config)
    made = plan(resource, prior=prior, proposed=merged, config=config)
    for attribute in resource.attributes:
        given = config.get(attribute.name)
        if attribute.write_only:
            assert (made.values or {}).get(attribute.name) is None
        elif made.values is not None and given is not None and known(given) and not attribute.nested:
            assert made.values[attribute.name] == given, f"{attribute.name} was configured and planned otherwise"
    return made


class World:
    """An API, a session on it and the states that applies leave behind, for one resource type."""

    def __init__(self, resource: Resource, cloud: Any = None) -> None:
        self.resource = resource
        self.cloud = cloud or Cloud()
        self.time = Time()
        self.result = Result(state=None)
        self.provenance = NOWHERE

    def engine(self) -> Any:
        """Return the engine of a new session, as every terraform command gets one."""
        lists = Lists(self.cloud)
        session = Session(client=self.cloud, lists=lists, stop=self.time, clock=self.time, provenance=self.provenance)
        return Kind(self.resource).engine(session)

    def apply(self, config: Values) -> dict[str, Any]:
        """Refresh, plan and apply; return the state, which is what was planned."""
        prior = self.refresh()
        made = self._planned(prior, config)
        if made.faults:
            raise made.faults[0]
        if made.values is prior and prior is not None:
            return prior
        if made.replace:
            self.destroy()
            prior, made = None, planned(self.resource, None, config)
        values = made.values or {}
        self._change(prior, values, config)
        assert self.result.state is not None
        for name, value in values.items():
            assert value is UNKNOWN or self.result.state[name] == value, f"{name} is not as planned"
        assert known(self.result.state)
        return self.result.state

    def _change(self, prior: Values | None, values: Values, config: Values) -> None:
        written = Kind(self.resource).written(config)
        self.result = Result(state=dict(prior) if prior else None, written=written, private=self.result.private)
        if prior is None:
            self.engine().create(values, self.result)
        else:
            self.engine().update(prior, values, self.result)

    def refresh(self) -> dict[str, Any] | None:
        """Read the state anew."""
        if self.result.state is not None:
            self.result.state = self.engine().read(self.result.state, self.result.private)
        return self.result.state

    def plan(self, config: Values) -> Plan:
        """Refresh and plan."""
        return self._planned(self.refresh(), config)

    def _planned(self, prior: Values | None, config: Values) -> Plan:
        """Plan with what the engine foresees, which travels to the apply in private state."""
        made = planned(self.resource, prior, config)
        engine = self.engine()
        ask = engine.foresight(prior, made, self.result.private) if isinstance(engine, Jobs) else None
        if ask is None:
            return made
        made = ask()
        self.result.private = noted(self.result.private, made)
        return made

    def destroy(self) -> None:
        """Destroy what is there."""
        prior = self.result.state
        self.result = Result(state=prior, private=self.result.private)
        self.engine().delete(prior, self.result)
        assert self.result.state is None


def configs(resource: Resource, *, unknown: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Draw configurations that validation accepts."""
    fields = {a.name: _given(a, unknown=unknown) for a in resource.attributes}
    if "jar" in fields:  # a file, which no draw makes; without it there is a script
        fields |= {"jar": st.none(), "sql": fields["sql"].filter(lambda text: text is not None)}
    return st.fixed_dictionaries(fields).filter(lambda c: not list(check.faults(resource.attributes, c)))


def _given(attribute: Attribute, *, unknown: bool) -> st.SearchStrategy[Any]:
    if not attribute.writable:
        return st.none()
    # A workspace and a namespace travel in headers and paths, where not every character can.
    values = st.sampled_from(["w1", "w2"]) if attribute.name in ("workspace", "namespace") else _values(attribute.type)
    if unknown:
        values = values | st.just(UNKNOWN)
    return values if attribute.origin is Origin.REQUIRED else st.none() | values


def _values(kind: Type) -> st.SearchStrategy[Any]:  # noqa: PLR0911  one a kind of value
    match kind:
        case String(choices=choices) if choices:
            return st.sampled_from(choices)
        case String(pattern=pattern) if pattern:
            return st.sampled_from(
                [text for text in ("a", "b-c", "90s", "1h30m", "4Gi", "16Gi", "0" * 64) if re.fullmatch(pattern, text)]
            )
        case String():
            return st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
        case Number(at_least=least):
            return st.integers(int(least or 0), 50)
        case Bool():
            return st.booleans()
        case ListOf(item=item):
            return st.lists(_values(item), max_size=3)
        case MapOf(item=item):
            return st.dictionaries(st.sampled_from(["a", "b.c", "team"]), _values(item), max_size=3)
        case Object(attributes=attributes):
            return st.fixed_dictionaries({a.name: _given(a, unknown=False) for a in attributes})
    raise NotImplementedError(kind)
