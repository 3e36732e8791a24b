"""The data sources that follow from a managed type: one thing by its key or by what it is like, and all of a place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from flinkform.schema.codec import Labels, Plain
from flinkform.schema.model import Attribute, Change, DataSource, Origin, Resource
from flinkform.schema.types import Bool, MapOf, Number, Object, String


def derived(resources: Iterable[Resource], declared: Iterable[DataSource]) -> Iterator[DataSource]:
    """Yield the data sources of *resources*; one that is *declared* by hand stands in place of its own."""
    taken = {source.name for source in declared}
    for resource in resources:
        yield from (source for source in _both(resource) if source.name not in taken)


def matches(source: DataSource, config: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Say whether *row* is as every argument that is given wants it; of a map what is asked for is enough."""
    asked = ((a.name, config.get(a.name)) for a in source.arguments)
    return all(_like(row[name], wanted) for name, wanted in asked if wanted is not None and name in row)


def _like(seen: Any, wanted: Any) -> bool:
    return wanted.items() <= (seen or {}).items() if isinstance(wanted, Mapping) else bool(seen == wanted)


def _both(resource: Resource) -> Iterator[DataSource]:
    yield _one(resource)
    if resource.api.list:
        yield _many(resource)


def _one(resource: Resource) -> DataSource:
    """Return the data source of one thing: by its key if its author chose that, else by whatever is like it alone."""
    by_key = resource.own.writable or resource.api.list is None
    scope = tuple(_asked(a, Origin.REQUIRED) for a in resource.scope)
    if by_key:
        arguments = (*scope, _asked(resource.own, Origin.REQUIRED))
    else:
        arguments = (*scope, *(_asked(a, Origin.EITHER) for a in (resource.own, *_filters(resource))))
    names = {a.name for a in arguments}
    return DataSource(
        name=resource.name,
        doc=f"{resource.doc} Found by {'its key' if by_key else 'its key, or by what it alone is like'}.",
        arguments=arguments,
        attributes=tuple(_told(a) for a in resource.attributes if _known(a, resource) and a.name not in names),
        of=resource,
        example=_example(resource, resource.name, (*resource.key[:-1], _word(resource, by_key=by_key))),
    )


def _many(resource: Resource) -> DataSource:
    """Return the data source of all things of a place, narrowed by what they are like."""
    name = f"{resource.name}s"
    scope = {a.name for a in resource.scope}
    filters = (
        replace(_asked(a, Origin.OPTIONAL), doc=f"Only those whose `{a.name}` {_is(a)} this.")
        for a in _filters(resource)
    )
    return DataSource(
        name=name,
        plural=name,
        doc=f"{resource.doc} All of them, or those that are like what is asked for.",
        arguments=(*(_asked(a, Origin.REQUIRED) for a in resource.scope), *filters),
        attributes=tuple(_told(a) for a in resource.attributes if _known(a, resource) and a.name not in scope),
        of=resource,
        example=_example(resource, name, resource.key[:-1]),
    )


def _filters(resource: Resource) -> list[Attribute]:
    """Return what a thing may be found by: plain values and labels that its author decides."""
    place = {a.name for a in resource.scope}
    return [
        a
        for a in resource.attributes
        if a.writable and a.path and not a.write_only and a.name not in place
        if isinstance(a.codec, Labels) or (isinstance(a.codec, Plain) and isinstance(a.type, String | Number | Bool))
    ]


def _is(attribute: Attribute) -> str:
    return "hold" if isinstance(attribute.type, MapOf) else "is"


def _known(attribute: Attribute, resource: Resource) -> bool:
    """Say whether reading tells it; a thing's own id is made of what the API tells."""
    beside = attribute.name == "id" or attribute.name in resource.told
    return not attribute.write_only and (attribute.path is not None or beside)


def _asked(attribute: Attribute, origin: Origin) -> Attribute:
    free = replace(attribute, exclusive="", needs="", costs={})
    return replace(free, origin=origin, default=None, change=Change.NOTHING)


def _told(attribute: Attribute) -> Attribute:
    """Return the attribute as it is read: it may say more than anybody may ask for, such as a state of `failed`."""
    kind = attribute.type
    if isinstance(kind, Object):
        kind = Object(tuple(map(_told, kind.attributes)))
    elif attribute.path is None:
        kind = String()
    return replace(_asked(attribute, Origin.COMPUTED), type=kind)


def _word(resource: Resource, *, by_key: bool) -> str:
    """Return the attribute that an example looks for."""
    found = "" if by_key else next((a.name for a in _filters(resource) if a.name == "name"), "")
    return found or resource.own.name


def _example(resource: Resource, name: str, arguments: Iterable[str]) -> str:
    """Return a block that looks for what the resource's own example makes."""
    label = resource.example.partition(f'"{resource.type_name}" "')[2].partition('"')[0]
    if not label:
        return ""
    names = tuple(arguments)
    width = max(map(len, names), default=0)
    lines = [f"  {one.ljust(width)} = {resource.type_name}.{label}.{one}" for one in names]
    return "\n".join(["", f'data "flink_{name}" "{label}" {{', *lines, "}", ""])
