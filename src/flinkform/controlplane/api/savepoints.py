"""Operations on savepoints; the files behind them are the reconciler's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.api import jobs, places
from flinkform.controlplane.api.call import Call, Handler, Listed, Params
from flinkform.controlplane.store import deployments, intents, runs
from flinkform.controlplane.store import savepoints as kept
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.errors import Conflict


def create(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Ask for a savepoint of a deployment's running job; it is STARTED until Flink has written it."""
    with call.store.write() as db:
        namespace = places.namespace(db, params)
        source = deployments.get(db, namespace.workspace, namespace.name, body["deploymentId"])
        running = runs.live_of(db, source.id)
        if not running:
            raise Conflict(f"deployment {source.name} has no running job", advice="start it first")
        made = intents.savepoint(
            db,
            running[0],
            creator=call.who,
            now=call.now,
            native=body.get("nativeFormat", False),
            description=body.get("description", ""),
        )
    call.services.poke()
    return shown(made)


def get(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Answer with one savepoint."""
    with call.store.read() as db:
        return shown(_find(db, params))


def index(call: Call, params: Params, _body: Any) -> Listed:
    """List savepoints, newest first; of a deployment or a job that is gone, too."""
    page = call.window(params)
    with call.store.read() as db:
        namespace = places.namespace(db, params)
        found = kept.page(
            db,
            namespace.workspace,
            namespace.name,
            deployment_id=params.get("deploymentId") or None,
            run_id=params.get("jobId") or None,
            offset=page.offset,
            limit=page.size,
        )
    return Listed([shown(one) for one in found.items], found.total, page)


def delete(call: Call, params: Params, _body: Any) -> None:
    """Forget a savepoint and let its files be removed; Conflict while it is being taken."""
    with call.store.write() as db:
        found = _find(db, params)
        kept.request_delete(db, found, now=call.now)
        call.record(
            db,
            "SAVEPOINT_DELETED",
            f"savepoint {found.id} deleted",
            workspace=found.workspace,
            namespace=found.namespace,
            deployment_id=found.deployment_id,
            run_id=found.run_id,
        )
    call.services.poke()


def shown(found: Savepoint) -> dict[str, Any]:
    """Return a savepoint as the API shows it: unlike a job's, its times are numbers; all in seconds."""
    status: dict[str, Any] = {"state": found.state}
    if found.failure:
        status["failure"] = jobs.failure(found.failure)
    return {
        "createdAt": found.created_at // 1000,
        "deploymentId": found.deployment_id,
        "description": found.description,
        "jobId": found.run_id,
        "modifiedAt": found.modified_at // 1000,
        "namespace": found.namespace,
        "nativeFormat": found.native,
        "savepointId": found.id,
        "savepointLocation": found.location,
        "savepointOrigin": found.origin,
        "status": status,
        "stopWithDrainEnabled": found.drain,
    }


def _find(db: Connection, params: Params) -> Savepoint:
    namespace = places.namespace(db, params)
    return kept.get(db, namespace.workspace, namespace.name, params["savepointId"])


OPERATIONS: Mapping[str, Handler] = {
    "CreateSavepoint": create,
    "GetSavepoint": get,
    "ListSavepoints": index,
    "DeleteSavepoint": delete,
}
