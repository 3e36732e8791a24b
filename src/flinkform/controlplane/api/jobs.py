"""Operations on jobs: the runs of a deployment. Starting and stopping only writes down what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane import units
from flinkform.controlplane.api import clusters, definition, places, quota, shape
from flinkform.controlplane.api.call import Call, Handler, Listed, Params
from flinkform.controlplane.store import deployments, intents, runs, savepoints
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.units import RUNTIME
from flinkform.errors import Conflict, Invalid
from flinkform.openapi.states import Restore, Stop

_SHOWN = (
    "artifact",
    "batchResourceSetting",
    "engineVersion",
    "executionMode",
    "flinkConf",
    "localVariables",
    "logging",
    "streamingResourceSetting",
)
_CHANGES = ("batchResourceSetting", "streamingResourceSetting", "flinkConf")


def start(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Start a deployment, with other resources or Flink options for this run alone if it says so."""
    asked = body.get("resourceSettingSpec") or {}
    definition.resources(asked)
    return _start(call, params, body, {name: asked[name] for name in _CHANGES if asked.get(name)})


def start_with_params(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Start a deployment, with values for its variables; a *jobId* in the body is ignored."""
    sent = {"localVariables": body.get("localVariables"), "deploymentTarget": _queue(body.get("resourceQueueName"))}
    return _start(call, params, body, {name: value for name, value in sent.items() if value})


def stop(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Stop a job; it is CANCELLING until Flink is done with it."""
    strategy = body["stopStrategy"]
    if strategy not in list(Stop):
        raise Invalid(f"expected one of {', '.join(Stop)}, got {strategy[:80]!r}", at=("stopStrategy",))
    with call.store.write() as db:
        found = intents.stop(db, _find(db, params), strategy, creator=call.who, now=call.now)
    call.services.poke()
    return shown(found)


def get(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Answer with one job."""
    with call.store.read() as db:
        return _all(call, db, [_find(db, params)])[0]


def index(call: Call, params: Params, _body: Any) -> Listed:
    """List a deployment's jobs, newest first."""
    page = call.window(params)
    with call.store.read() as db:
        namespace = places.namespace(db, params)
        source = deployments.get(db, namespace.workspace, namespace.name, params["deploymentId"])
        found = runs.page(db, source.id, offset=page.offset, limit=page.size)
        return Listed(_all(call, db, found.items), found.total, page)


def delete(call: Call, params: Params, _body: Any) -> None:
    """Forget a job that has ended; its savepoints stay."""
    with call.store.write() as db:
        found = _find(db, params)
        runs.remove(db, found)
        call.record(
            db,
            "JOB_DELETED",
            f"job {found.id} deleted",
            workspace=found.workspace,
            namespace=found.namespace,
            deployment_id=found.deployment_id,
            run_id=found.id,
        )


def shown(run: Run, *, silent: bool = False) -> dict[str, Any]:
    """Return a job as the API shows it: *createdAt* is text, *startTime* a number, both in seconds.

    *silent* says that its cluster does not answer: nobody knows what it does now.
    """
    job = {
        **{field: run.definition[field] for field in _SHOWN if field in run.definition},
        "createdAt": str(run.created_at // 1000),
        "creator": run.creator,
        "creatorName": run.creator,
        "deploymentId": run.deployment_id,
        "deploymentName": run.name,
        "jobId": run.id,
        "modifiedAt": str(run.modified_at // 1000),
        "modifier": run.creator,
        "modifierName": run.creator,
        "namespace": run.namespace,
        "restoreStrategy": dict(run.restore),
        "status": _status(run, silent=silent),
        "userFlinkConf": run.definition.get("flinkConf", {}),
        "workspace": run.workspace,
    }
    if str(run.definition.get("runtime") or "").startswith(RUNTIME):
        job["sessionClusterName"] = run.definition["deploymentTarget"]["name"]
    for field, at in (("startTime", run.started_at), ("endTime", run.ended_at)):
        if at is not None:
            job[field] = at // 1000
    return job


def _all(call: Call, db: Connection, found: Sequence[Run]) -> list[dict[str, Any]]:
    """Jobs as the API shows them, each with the savepoint that it really began from, whatever was asked for."""
    origins = savepoints.by_place(db, [run.began_from for run in found if run.began_from])
    told = []
    for run in found:
        job = shown(run, silent=bool(call.services.where(run).silent))
        if origin := origins.get(run.began_from or ""):
            job["restoreStrategy"] = {**job["restoreStrategy"], "savepointId": origin.id}
        told.append(job)
    return told


def failure(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return a failure as the API shows it: its time in seconds."""
    told = {field: kept[field] for field in ("message", "reason") if field in kept}
    return {**told, "failedAt": int(kept.get("failedAt", 0)) // 1000}


def _status(run: Run, *, silent: bool) -> dict[str, Any]:
    status: dict[str, Any] = {"currentJobStatus": run.state}
    if run.failure:
        status["failure"] = failure(run.failure)
    if run.state == "RUNNING":
        seen = "UNKNOWN" if silent else "RESTARTING" if run.failure else "RUNNING"
        status["running"] = {"observedFlinkJobStatus": seen}
    return status


def _start(call: Call, params: Params, body: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    deployment_id = body.get("deploymentId")
    if not deployment_id:
        raise Invalid("is required and missing", at=("deploymentId",))
    with call.store.write() as db:
        namespace = places.usable(db, params)
        source = deployments.get(db, namespace.workspace, namespace.name, deployment_id)
        restore = _restore(db, namespace.workspace, namespace.name, body.get("restoreStrategy") or {})
        whole = shape.merged(source.document, changes, "Deployment", call.operation.product)
        if "flinkConf" in changes:
            whole["flinkConf"] = {**source.document.get("flinkConf", {}), **changes["flinkConf"]}
        target, mode = whole["deploymentTarget"]["name"], whole["deploymentTarget"]["mode"]
        known = clusters.targets(call, db, namespace.workspace, namespace.name, mode)
        if target not in known:
            raise Invalid(f"expected the deployment target {' or '.join(known)}, got {target[:80]!r}")
        clusters.usable(db, namespace.workspace, namespace.name, whole)
        running = {name: whole[name] for name in changes} | {"runtime": known[target]}
        quota.check(db, namespace, source.name, units.of_job({**whole, **running}))
        made = intents.start(
            db,
            source,
            restore=restore,
            creator=call.principal,
            who=call.who,
            now=call.now,
            changes=running,
        )
    call.services.poke()
    return shown(made)


def _queue(name: str | None) -> dict[str, str]:
    return {"mode": "PER_JOB", "name": name} if name else {}


def _restore(db: Connection, workspace: str, namespace: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Check what a start shall begin from. Without a word about it a job begins with nothing, as documented."""
    kind = asked.get("kind", Restore.NONE.value)
    if kind not in list(Restore):
        raise Invalid(f"expected one of {', '.join(Restore)}, got {kind[:80]!r}", at=("restoreStrategy", "kind"))
    if kind == Restore.FROM_SAVEPOINT:
        if not asked.get("savepointId"):
            raise Invalid("is required and missing", at=("restoreStrategy", "savepointId"))
        asked = {**asked, "savepointId": _origin(db, workspace, namespace, str(asked["savepointId"]))}
    return {**asked, "kind": kind}


def _origin(db: Connection, workspace: str, namespace: str, named: str) -> str:
    """The id of a completed savepoint that is named by its id or its place, or a place that is not known here.

    The id alone is what Alibaba takes. NotFound, Conflict: there is none, or it is not done.
    """
    known = savepoints.at(db, named) if "/" in named else None
    if "/" in named and known is None:
        return named
    found = savepoints.get(db, workspace, namespace, known.id if known else named)
    if found.state != "COMPLETED":
        raise Conflict(f"expected savepoint {found.id} COMPLETED, got {found.state}")
    return found.id


def _find(db: Connection, params: Params) -> Run:
    namespace = places.namespace(db, params)
    return runs.get(db, namespace.workspace, namespace.name, params["jobId"])


OPERATIONS: Mapping[str, Handler] = {
    "ListJobs": index,
    "GetJob": get,
    "StartJob": start,
    "StartJobWithParams": start_with_params,
    "StopJob": stop,
    "DeleteJob": delete,
}
