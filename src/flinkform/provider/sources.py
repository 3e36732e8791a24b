"""Reading the data sources: what the API lists, as rows."""

from __future__ import annotations

from typing import Any

from flinkform.openapi.operation import operation
from flinkform.provider import observe
from flinkform.provider.lists import Document
from flinkform.provider.runs import Runs
from flinkform.provider.session import Session
from flinkform.provider.values import Values
from flinkform.resources import jobs
from flinkform.schema import document as documents
from flinkform.schema.model import DataSource


def read(source: DataSource, config: Values, session: Session) -> dict[str, Any]:
    """Return the data source's values for what *config* asks."""
    if source is jobs.DATA_SOURCE:
        return {**config, source.plural: _jobs(config, session)}
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
