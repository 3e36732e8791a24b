"""Operations on deployments: what jobs are meant to compute."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.api import clusters, definition, engines, places, shape
from flinkform.controlplane.api.call import Call, Handler, Listed, Params
from flinkform.controlplane.store import deployments as kept
from flinkform.controlplane.store import runs
from flinkform.controlplane.store.deployments import Deployment, Filter
from flinkform.controlplane.store.runs import COUNTED, Summary
from flinkform.errors import Invalid

_RESOURCES = ("batchResourceSetting", "streamingResourceSetting")


def create(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Make a deployment; nothing runs until it is started."""
    document = definition.made(body, engine=call.services.settings.engine)
    versions = engines.names(call)
    with call.store.write() as db:
        namespace = places.usable(db, params)
        targets = clusters.targets(call, db, namespace.workspace, namespace.name, document["deploymentTarget"]["mode"])
        definition.check(body.get("name", ""), document, engines=versions, targets=targets)
        made = kept.create(
            db,
            str(uuid.uuid4()),
            workspace=namespace.workspace,
            namespace=namespace.name,
            name=body["name"],
            document=document,
            creator=call.principal,
            now=call.now,
        )
        _record(call, db, "DEPLOYMENT_CREATED", made, "created")
    return _shown(made, Summary())


def get(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Answer with one deployment."""
    with call.store.read() as db:
        found = find(db, params)
        return _shown(found, runs.summaries(db, [found.id])[found.id])


def update(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Change what is sent and leave the rest (see `shape.merged`).

    A running job goes on as it was started, but for its log levels: they are changed at once.

    Conflict: the new name is taken, or the execution mode would change.
    """
    with call.store.write() as db:
        found = find(db, params)
        name, document = changed(call, db, found, body)
        call.changed({"name": found.name, **found.document}, {"name": name, **document})
        done = kept.replace(db, found, document, name=name, modifier=call.principal, now=call.now)
        runs_on = kept.catch_up(db, done, now=call.now)
        _record(call, db, "DEPLOYMENT_UPDATED", done, "updated")
        told = _shown(done, runs.summaries(db, [done.id])[done.id])
    if runs_on:
        call.services.poke()
    return told


def changed(call: Call, db: Connection, found: Deployment, body: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return name and document as an update by *body* makes them. Invalid: no job could be started from that."""
    change = {name: body[name] for name in definition.KEPT if name in body}
    name = body.get("name") or found.name
    merged = shape.merged(found.document, change, "Deployment", call.operation.product)
    document = definition.made(shape.dense(merged), engine=call.services.settings.engine)
    targets = clusters.targets(call, db, found.workspace, found.namespace, document["deploymentTarget"]["mode"])
    definition.check(name, document, engines=engines.names(call), targets=targets)
    return name, document


def delete(call: Call, params: Params, _body: Any) -> None:
    """Forget a deployment and its jobs; Conflict while one of them has not ended. Savepoints stay."""
    with call.store.write() as db:
        found = find(db, params)
        kept.remove(db, found)
        _record(call, db, "DEPLOYMENT_DELETED", found, "deleted")


def index(call: Call, params: Params, _body: Any) -> Listed:
    """List a namespace's deployments, newest first; the name filter matches any part."""
    page = call.window(params)
    wanted = _filter(params)
    with call.store.read() as db:
        namespace = places.namespace(db, params)
        found = kept.page(db, namespace.workspace, namespace.name, wanted, offset=page.offset, limit=page.size)
        return Listed(_all(db, found.items), found.total, page)


def by_name(call: Call, params: Params, _body: Any) -> list[dict[str, Any]]:
    """Answer with the deployment of exactly that name, as a list of one or none."""
    with call.store.read() as db:
        namespace = places.namespace(db, params)
        found = kept.by_name(db, namespace.workspace, namespace.name, params["deploymentName"])
        shown = _all(db, [found] if found else [])
    hidden = ("jobSummary",) * bool(params.get("ignoreJobSummary"))
    hidden += _RESOURCES * bool(params.get("ignoreResourceSetting"))
    return [{field: value for field, value in one.items() if field not in hidden} for one in shown]


def find(db: Connection, params: Params) -> Deployment:
    """Return the deployment of that id in the namespace a request is for."""
    namespace = places.namespace(db, params)
    return kept.get(db, namespace.workspace, namespace.name, params["deploymentId"])


def _filter(params: Params) -> Filter:
    status, mode = params.get("status"), params.get("executionMode")
    if status is not None and status not in COUNTED:
        raise Invalid(f"expected one of {', '.join(COUNTED)}, got {status[:80]!r}", at=("status",))
    if mode is not None and mode not in ("STREAMING", "BATCH"):
        raise Invalid(f"expected STREAMING or BATCH, got {mode[:80]!r}", at=("executionMode",))
    return Filter(
        name=params.get("name") or None,
        status=status,
        creator=params.get("creator"),
        modifier=params.get("modifier"),
        batch=None if mode is None else mode == "BATCH",
        label=params.get("labelKey") or None,
        label_values=tuple(filter(None, params.get("labelValueArray", "").split(";"))),
        newest_change_first="modif" in params.get("sortName", "").lower(),
    )


def _all(db: Connection, found: Iterable[Deployment]) -> list[dict[str, Any]]:
    these = list(found)
    summaries = runs.summaries(db, [one.id for one in these])
    return [_shown(one, summaries[one.id]) for one in these]


def _shown(found: Deployment, summary: Summary) -> dict[str, Any]:
    """Return a deployment as the API shows it: times are text, in seconds."""
    return {
        **found.document,
        "createdAt": str(found.created_at // 1000),
        "creator": found.creator,
        "creatorName": found.creator,
        "deploymentHasChanged": summary.outdated(found.revision),
        "deploymentId": found.id,
        "jobSummary": dict(summary.counts),
        "modifiedAt": str(found.modified_at // 1000),
        "modifier": found.modifier,
        "modifierName": found.modifier,
        "name": found.name,
        "namespace": found.namespace,
        "workspace": found.workspace,
    }


def _record(call: Call, db: Connection, name: str, found: Deployment, verb: str) -> None:
    call.record(
        db,
        name,
        f"deployment {found.name} {verb}",
        workspace=found.workspace,
        namespace=found.namespace,
        deployment_id=found.id,
    )


OPERATIONS: Mapping[str, Handler] = {
    "ListDeployments": index,
    "CreateDeployment": create,
    "GetDeployment": get,
    "UpdateDeployment": update,
    "DeleteDeployment": delete,
    "GetDeploymentsByName": by_name,
}
