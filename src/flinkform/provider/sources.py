"""Reading the data sources: what the API lists, as rows."""

from __future__ import annotations

from typing import Any

from flinkform.errors import NotFound
from flinkform.openapi.operation import operation
from flinkform.provider import observe
from flinkform.provider.apply import Kept
from flinkform.provider.lists import Document
from flinkform.provider.runs import Runs
from flinkform.provider.session import Session
from flinkform.provider.values import Values
from flinkform.resources import jobs
from flinkform.schema import document as documents
from flinkform.schema import lookup
from flinkform.schema.model import DataSource, Resource


def read(source: DataSource, config: Values, session: Session) -> dict[str, Any]:
    """Return the data source's values for what *config* asks."""
    if source is jobs.DATA_SOURCE:
        return {**config, source.plural: _jobs(config, session)}
    if source.of is not None:
        return _derived(source, source.of, config, session)
    if source.list is None:
        raise NotFound(f"{source.type_name} has nothing to ask")
    asked = {a.name: config.get(a.name) for a in source.arguments if config.get(a.name) is not None}
    params = {source.list.places.get(name, name): value for name, value in asked.items()}
    fields = operation(source.list.operation).fields
    if "pageIndex" in fields or "PageIndex" in fields:
        answer: Document = {}
        found = list(session.client.pages(source.list.operation, params, items=source.items))
    else:
        answer = session.client.call(source.list.operation, params)
        found = documents.get(answer, source.items) or []
    rows = [documents.decode(source.attributes, document) for document in found]
    return {**config, source.plural: rows, **documents.decode(source.extra, answer)}


def _derived(source: DataSource, resource: Resource, config: Values, session: Session) -> dict[str, Any]:
    """Return what follows from a managed type: all that the arguments let through, or the one."""
    rows = [row for row in _kept(resource, config, session) if lookup.matches(source, config, row)]
    if source.plural:
        names = [a.name for a in source.attributes]
        return {**config, source.plural: [{name: row.get(name) for name in names} for row in rows]}
    if len(rows) != 1:
        asked = ", ".join(f"{a.name} {config[a.name]!r}" for a in source.arguments if config.get(a.name) is not None)
        said = f"expected one {resource.name.replace('_', ' ')} with {asked}, got {len(rows) or 'none'}"
        raise NotFound(said, advice="give more of what it is like" if rows else "")
    return rows[0]


def _kept(resource: Resource, config: Values, session: Session) -> list[dict[str, Any]]:
    """Return the things of a place; only the one that is named where the API has no list of them."""
    own = config.get(resource.own.name)
    engine, place = Kept(resource, session), {a.name: config.get(a.name) for a in resource.scope}
    if own is None or resource.api.read is None:
        return engine.every(place)
    found = engine.read({**place, resource.own.name: own}, {})
    return [found] if found else []


def _jobs(config: Values, session: Session) -> list[dict[str, Any]]:
    """Return a row a deployment, by name; from the list that reading the jobs themselves shares."""
    scope = {"workspace": str(config.get("workspace")), "namespace": str(config.get("namespace"))}
    found = session.lists.fetch("ListDeployments", scope, items="data", by="deploymentId")
    rows = (_row(document, scope, session) for document in found.values() if _named(document, config))
    return sorted(rows, key=lambda row: str(row["name"]))


def _named(document: Document, config: Values) -> bool:
    return str(config.get("name") or "") in str(document.get("name"))


def _row(document: Document, scope: dict[str, str], session: Session) -> dict[str, Any]:
    place = {**scope, "deploymentId": str(document.get("deploymentId"))}
    phase = observe.phase(document) or observe.job_phase(Runs(session, place, str(document.get("name"))).newest())
    values = documents.decode(jobs.DATA_SOURCE.attributes, document)
    return values | {"state": observe.state(document, phase, None)}
