"""Deciding what Terraform will show. Pure: values in, values out, nothing is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flinkform.errors import Conflict, FlinkformError, Path
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.provider.values import Values
from flinkform.schema.model import Attribute, Change, Origin, Resource
from flinkform.schema.types import Object

PROTECTION = "deletion_protection"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an apply is going to make of an object; *values* is the prior object itself where nothing changes."""

    values: Values | None
    replace: tuple[Path, ...] = ()
    faults: tuple[FlinkformError, ...] = ()
    warnings: tuple[str, ...] = ()


def plan(resource: Resource, *, prior: Values | None, proposed: Values | None, config: Values | None) -> Plan:
    """Return the plan from *prior* to *proposed*, which is core's merge of *config* and *prior*."""
    if proposed is None:
        return Plan(None, faults=tuple(_protected(prior)))
    wanted = defaulted(resource.attributes, proposed, config or {})
    if prior is None:
        return Plan(_learned(resource, wanted, config or {}, {}))
    if wanted == prior:
        return Plan(prior)
    replace = tuple(_replaced(resource.attributes, prior, wanted))
    kept = {} if replace else prior
    values = _learned(resource, wanted, config or {}, kept)
    return Plan(values, replace, tuple(_protected(prior)) if replace else ())


def defaulted(attributes: Iterable[Attribute], proposed: Values, config: Values) -> dict[str, Any]:
    """Return *proposed* with the default of every attribute that *config* leaves out, however deep."""
    wanted = dict(proposed)
    for attribute in attributes:
        name = attribute.name
        given = config.get(name)
        if attribute.write_only:
            wanted[name] = None
        elif given is None and attribute.default is not None:
            wanted[name] = attribute.default
        elif isinstance(attribute.type, Object) and isinstance(wanted.get(name), Mapping):
            inner = given if isinstance(given, Mapping) else {}
            wanted[name] = defaulted(attribute.type.attributes, wanted[name], inner)
    return wanted


def _learned(resource: Resource, wanted: dict[str, Any], config: Values, kept: Values) -> dict[str, Any]:
    """Return *wanted* with unknown for what only the API can say; stable values in *kept* stay in sight."""
    for attribute in resource.attributes:
        if attribute.origin is Origin.FORETOLD:
            wanted[attribute.name] = kept.get(attribute.name)
        if attribute.origin in (Origin.COMPUTED, Origin.EITHER) and config.get(attribute.name) is None:
            value = kept.get(attribute.name)
            wanted[attribute.name] = value if attribute.stable and value is not None else UNKNOWN
    return wanted


def _replaced(attributes: Iterable[Attribute], old: Values, new: Values, at: Path = ()) -> Iterator[Path]:
    """Yield the paths whose new value only a new object can have."""
    for attribute in attributes:
        before, after = old.get(attribute.name), new.get(attribute.name)
        if not attribute.writable or before == after:
            continue
        path = (*at, attribute.name)
        swapped = attribute.exclusive and attribute.cost(before, after) is Change.REPLACE
        if attribute.change is Change.REPLACE or swapped:
            yield path
        elif isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _replaced(attribute.nested, before, after, path)


def _protected(prior: Values | None) -> Iterator[FlinkformError]:
    if prior and prior.get(PROTECTION) is True:
        yield protected(prior)


def protected(prior: Values) -> Conflict:
    """Return the refusal to destroy *prior*, which a plan and, for `-replace` and tainted objects, an apply gives."""
    return Conflict(
        f"{prior.get('name') or prior.get('id')!r} is protected from being destroyed or replaced",
        at=(PROTECTION,),
        advice=f"apply {PROTECTION} = false first; what is gone from the configuration has to be brought back for that",
    )
