"""Deployments: what a job is meant to compute, each change of that a new revision."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as with_
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, bindparam, delete, insert, select, update

from flinkform.controlplane.store import savepoints
from flinkform.controlplane.store.paging import Page, cut
from flinkform.controlplane.store.runs import LIVE, change, live_of, newest_numbers
from flinkform.controlplane.store.tables import deployments as table
from flinkform.controlplane.store.tables import labels, runs
from flinkform.errors import Conflict, NotFound

DEFINITION = (
    "artifact",
    "batchResourceSetting",
    "deploymentTarget",
    "engineVersion",
    "executionMode",
    "flinkConf",
    "localVariables",
    "logging",
    "streamingResourceSetting",
)
"""The parts of a document that a run is made of: a change of one of these leaves a running job outdated."""

_PLACE = (table.c.workspace == bindparam("place"), table.c.namespace == bindparam("within"))
_BY_ID = select(table).where(*_PLACE, table.c.id == bindparam("one"))
_BY_NAME = select(table).where(*_PLACE, table.c.name == bindparam("called"))
_ADD, _LABEL = insert(table), insert(labels)
_CHANGE = update(table).where(table.c.id == bindparam("one"))
_UNLABEL = delete(labels).where(labels.c.deployment_id == bindparam("one"))


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment; *document* is the API's model without what is kept beside it here."""

    id: str
    workspace: str
    namespace: str
    name: str
    revision: int
    """Counts changes of the definition, from 1."""
    batch: bool
    creator: str
    modifier: str
    created_at: int
    modified_at: int
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Filter:
    """What ListDeployments may ask for; *name* is any part of one, *status* is of the newest run."""

    name: str | None = None
    status: str | None = None
    creator: str | None = None
    modifier: str | None = None
    batch: bool | None = None
    label: str | None = None
    label_values: Sequence[str] = ()
    """Any of these; none means that any value will do."""
    newest_change_first: bool = False
    """Otherwise the newest deployment comes first."""


def create(  # noqa: PLR0913  each is a key column
    db: Connection,
    deployment_id: str,
    *,
    workspace: str,
    namespace: str,
    name: str,
    document: Mapping[str, Any],
    creator: str,
    now: int,
) -> Deployment:
    """Record a deployment. Conflict: the name is taken in that namespace."""
    _free(db, workspace, namespace, name)
    batch = document.get("executionMode") == "BATCH"
    made = Deployment(deployment_id, workspace, namespace, name, 1, batch, creator, creator, now, now, document)
    values = {field: getattr(made, field) for field in Deployment.__slots__}
    db.execute(_ADD, values | {"document": dict(document)})
    _label(db, deployment_id, document)
    return made


def get(db: Connection, workspace: str, namespace: str, deployment_id: str) -> Deployment:
    """NotFound: none of that id in that namespace."""
    row = db.execute(_BY_ID, {"place": workspace, "within": namespace, "one": deployment_id}).mappings().first()
    if row is None:
        raise NotFound(f"no deployment {deployment_id} in namespace {namespace}")
    return _deployment(row)


def find(db: Connection, deployment_id: str) -> Deployment | None:
    row = db.execute(select(table).where(table.c.id == deployment_id)).mappings().first()
    return None if row is None else _deployment(row)


def by_name(db: Connection, workspace: str, namespace: str, name: str) -> Deployment | None:
    row = db.execute(_BY_NAME, {"place": workspace, "within": namespace, "called": name}).mappings().first()
    return None if row is None else _deployment(row)


def naming(db: Connection, workspace: str, namespace: str, *, target: str, mode: str = "PER_JOB") -> list[str]:
    """Return the names of the deployments that say they run in *target*, which is of that *mode*."""
    said = table.c.document["deploymentTarget"]
    place = (said["name"].as_string() == target) & (said["mode"].as_string() == mode)
    query = select(table.c.name).where(table.c.workspace == workspace, table.c.namespace == namespace, place)
    return sorted(db.scalars(query))


def programs(db: Connection) -> list[Mapping[str, Any]]:
    """The documents of all deployments that run a jar."""
    kind = table.c.document["artifact"]["kind"].as_string()
    return list(db.scalars(select(table.c.document).where(kind == "JAR")))


def page(
    db: Connection, workspace: str, namespace: str, wanted: Filter | None = None, *, offset: int = 0, limit: int = 10
) -> Page[Deployment]:
    """Deployments of a namespace, newest first."""
    wanted = wanted or Filter()
    first = table.c.modified_at if wanted.newest_change_first else table.c.created_at
    query = _of(workspace, namespace).order_by(first.desc(), table.c.id.desc())
    for condition in _conditions(wanted):
        query = query.where(condition)
    rows = cut(db, query, offset=offset, limit=limit)
    return Page([_deployment(row) for row in rows.items], rows.total)


def replace(
    db: Connection, found: Deployment, document: Mapping[str, Any], *, name: str, modifier: str, now: int
) -> Deployment:
    """Write a whole new document; the revision moves when the definition does. Conflict: the new name is taken.

    The execution mode of a deployment cannot change: Conflict.
    """
    if name != found.name:
        _free(db, found.workspace, found.namespace, name)
    if (document.get("executionMode") == "BATCH") != found.batch:
        raise Conflict(f"deployment {found.name} cannot change its executionMode", advice="make a new deployment")
    changed = any(document.get(part) != found.document.get(part) for part in DEFINITION)
    values: dict[str, Any] = {
        "name": name,
        "document": dict(document),
        "revision": found.revision + changed,
        "modifier": modifier,
        "modified_at": now,
    }
    db.execute(_CHANGE, values | {"one": found.id})
    if document.get("labels") != found.document.get("labels"):
        db.execute(_UNLABEL, {"one": found.id})
        _label(db, found.id, document)
    return with_(found, **values)


def catch_up(db: Connection, found: Deployment, *, now: int) -> bool:
    """Give live runs what they can have while they run, which is what they log; True if there are any.

    Those whose definition is the deployment's then count as up to date: an edit was put back, or caught up.
    """
    logging = {part: found.document[part] for part in ("logging",) if part in found.document}
    live = live_of(db, found.id)
    for run in live:
        definition = {part: value for part, value in run.definition.items() if part != "logging"} | logging
        same = all(definition.get(part) == found.document.get(part) for part in DEFINITION)
        values = {"definition": definition, "revision": found.revision if same else run.revision}
        if any(getattr(run, name) != value for name, value in values.items()):
            change(db, run, values, now=now)
    return bool(live)


def remove(db: Connection, found: Deployment) -> None:
    """Forget a deployment and its runs; savepoints and events stay. Conflict: a run has not ended."""
    query = select(runs.c.id, runs.c.state).where(runs.c.deployment_id == found.id, runs.c.state.in_(LIVE))
    if live := db.execute(query).mappings().first():
        raise Conflict(f"deployment {found.name} has a job that is {live.state}", advice="stop it first")
    savepoints.inherit(db, runs.c.deployment_id == found.id)
    db.execute(delete(table).where(table.c.id == found.id))


def _free(db: Connection, workspace: str, namespace: str, name: str) -> None:
    if by_name(db, workspace, namespace, name) is not None:
        raise Conflict(f"deployment {name} exists already in namespace {namespace}")


def _of(workspace: str, namespace: str) -> Select[Any]:
    return select(table).where(table.c.workspace == workspace, table.c.namespace == namespace)


def _conditions(wanted: Filter) -> Iterable[ColumnElement[bool]]:
    for column, value in (
        (table.c.creator, wanted.creator),
        (table.c.modifier, wanted.modifier),
        (table.c.batch, wanted.batch),
    ):
        if value is not None:
            yield column == value
    if wanted.name is not None:
        yield table.c.name.icontains(wanted.name, autoescape=True)
    if wanted.status is not None:
        newest = newest_numbers()
        yield table.c.id.in_(
            select(runs.c.deployment_id)
            .join(newest, (newest.c.deployment_id == runs.c.deployment_id) & (newest.c.seq == runs.c.seq))
            .where(runs.c.state == wanted.status)
        )
    if wanted.label is not None:
        having = select(labels.c.deployment_id).where(labels.c.key == wanted.label)
        yield table.c.id.in_(having.where(labels.c.value.in_(wanted.label_values)) if wanted.label_values else having)


def _label(db: Connection, deployment_id: str, document: Mapping[str, Any]) -> None:
    pairs = document.get("labels") or {}
    if pairs:
        rows = [{"deployment_id": deployment_id, "key": key, "value": str(value)} for key, value in pairs.items()]
        db.execute(_LABEL, rows)


def _deployment(row: RowMapping) -> Deployment:
    return Deployment(**row)
