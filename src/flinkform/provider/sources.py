"""Reading the data sources: what the API lists, as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flinkform.errors import NotFound
from flinkform.openapi.operation import operation
from flinkform.provider import observe, record
from flinkform.provider.apply import Kept
from flinkform.provider.lists import Document
from flinkform.provider.runs import Runs
from flinkform.provider.session import Session
from flinkform.provider.values import Values
from flinkform.resources import job, jobs
from flinkform.schema import document as documents
from flinkform.schema import lookup
from flinkform.schema.model import DataSource, Resource


def read(source: DataSource, config: Values, session: Session) -> dict[str, Any]:
    """Return the data source's values for what *config* asks."""
    if source is jobs.DATA_SOURCE:
        every = _jobs(source, config, session)
        return _all(source, config, [row for row in every if config.get("state") in (None, row["state"])])
    if source.of is not None:
        return _derived(source, source.of, config, session)
    if source.list is None:
        raise NotFound(f"{source.type_name} has nothing to ask")
    fields = operation(source.list.operation).fields
    places = {a.name: source.list.places.get(a.name, a.name) for a in source.arguments}
    asked = {a.name: config[a.name] for a in source.arguments if config.get(a.name) is not None}
    params = {places[name]: value for name, value in asked.items() if places[name] in fields}
    if "pageIndex" in fields or "PageIndex" in fields:
        answer: Document = {}
        found = list(session.client.pages(source.list.operation, params, items=source.items))
    else:
        answer = session.client.call(source.list.operation, params)
        found = documents.get(answer, source.items) or []
    whole = (one if isinstance(one, Mapping) else {"name": one} for one in found)
    rows = [documents.decode(source.attributes, document) for document in whole]
    unsent = {name: value for name, value in asked.items() if places[name] not in fields}
    kept = [row for row in rows if lookup.matches(source, unsent, row)]
    return {**config, source.plural: kept, **documents.decode(source.extra, answer)}


def _derived(source: DataSource, resource: Resource, config: Values, session: Session) -> dict[str, Any]:
    """Return what follows from a managed type: all that the arguments let through, or the one."""
    if resource is job.RESOURCE:
        rows = _jobs(source, config, session)
    else:
        rows = [row for row in _kept(resource, config, session) if lookup.matches(source, config, row)]
    if source.plural:
        return _all(source, config, rows)
    if len(rows) != 1:
        asked = ", ".join(f"{a.name} {config[a.name]!r}" for a in source.arguments if config.get(a.name) is not None)
        said = f"expected one {resource.name.replace('_', ' ')} with {asked}, got {len(rows) or 'none'}"
        raise NotFound(said, advice="give more of what it is like" if rows else "")
    return rows[0]


def _all(source: DataSource, config: Values, rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    names = [a.name for a in source.attributes]
    return {**config, source.plural: [{name: row.get(name) for name in names} for row in rows]}


def _kept(resource: Resource, config: Values, session: Session) -> list[dict[str, Any]]:
    """Return the things of a place; only the one that is named where the API has no list of them."""
    own = config.get(resource.own.name)
    engine, place = Kept(resource, session), {a.name: config.get(a.name) for a in resource.scope}
    if own is None or resource.api.read is None:
        return engine.every(place)
    found = engine.read({**place, resource.own.name: own}, {})
    return [found] if found else []


def _jobs(source: DataSource, config: Values, session: Session) -> list[dict[str, Any]]:
    """Return deployments by name, with what state each is in: that takes a call where the list does not say."""
    place = {name: str(config.get(name)) for name in ("workspace", "namespace")}
    exact = {
        name: value for name, value in config.items() if name != "state" and not (source.plural and name == "name")
    }
    rows = []
    for document in _deployments(config, place, session):
        row = record.merged(job.RESOURCE, place, document)
        if lookup.matches(source, exact, row) and (not source.plural or str(config.get("name") or "") in row["name"]):
            rows.append(row | {"state": _state(document, place, session)})
    return sorted(rows, key=lambda row: str(row["name"]))


def _deployments(config: Values, place: Mapping[str, str], session: Session) -> Iterable[Document]:
    """Return the one that is named by its id, else all, from the list that reading the jobs themselves shares."""
    if own := config.get("deployment_id"):
        try:
            return [session.client.call("GetDeployment", {**place, "deploymentId": own})["data"]]
        except NotFound:
            return []
    return session.lists.fetch("ListDeployments", place, items="data", by="deploymentId").values()


def _state(document: Document, place: Mapping[str, str], session: Session) -> str:
    where = {**place, "deploymentId": str(document.get("deploymentId"))}
    phase = observe.phase(document) or observe.job_phase(Runs(session, where, str(document.get("name"))).newest())
    return observe.state(document, phase, None)
