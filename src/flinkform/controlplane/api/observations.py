"""Operations that look at what jobs did: events, start log, diagnosis, and Flink's own REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from flinkform.controlplane.api import places, proxy
from flinkform.controlplane.api.call import Call, Handler, Listed, Params
from flinkform.controlplane.store import clusters, deployments, events, runs
from flinkform.controlplane.store.events import HANDED, Event
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Conflict, Invalid
from flinkform.flink.runtime import Runtime

_JUDGED = ("JOB_QUARANTINED", "JOB_ISOLATED", "JOB_JVM_DIED")
_LOG_BYTES = 256 * 1024


def list_events(call: Call, params: Params, _body: Any) -> Listed:
    """List what happened in a namespace, newest first."""
    page = call.window(params)
    with call.store.read() as db:
        namespace = places.namespace(db, params)
        found = events.page(
            db,
            namespace.workspace,
            namespace.name,
            deployment_id=params.get("deploymentId") or None,
            deployment_name=params.get("deploymentName") or None,
            offset=page.offset,
            limit=page.size,
        )
    return Listed([_event(one) for one in found.items], found.total, page)


def start_log(call: Call, params: Params, _body: Any) -> str:
    """Answer with how the newest job was handed to Flink, and the end of its log, or why it failed without one.

    What was done to it because of how it behaves comes last.
    """
    with call.store.read() as db:
        namespace = places.namespace(db, params)
        source = deployments.get(db, namespace.workspace, namespace.name, params["deploymentId"])
        newest = runs.summaries(db, [source.id])[source.id].newest
        handed = _last(db, newest, HANDED) if newest else ""
        judged = _last(db, newest, _JUDGED) if newest else ""
    if newest is None:
        return ""
    said = call.services.runtime.log(newest.job_id, tail=_LOG_BYTES) or str((newest.failure or {}).get("message", ""))
    said = call.services.secrets(newest).mask(said)
    return handed + said + ("\n" * bool(judged and said and not said.endswith("\n"))) + judged


def diagnose(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Say why a job failed or keeps restarting."""
    with call.store.read() as db:
        namespace = places.namespace(db, params)
        run = _run(db, params)
        deployments.get(db, namespace.workspace, namespace.name, params["deploymentId"])
    symptoms = [_symptom(run)] if run.failure else []
    return {
        "diagnoseId": f"{run.id}-{run.version}",
        "diagnoseTime": call.now,
        "namespace": namespace.name,
        "riskLevel": "RISK_LEVEL_HIGH" if symptoms else "RISK_LEVEL_LOW",
        "symptoms": {
            "others": [],
            "runtime": symptoms if run.started_at is not None else [],
            "startup": symptoms if run.started_at is None else [],
            "state": [],
            "troubleshooting": [],
        },
        "workspace": namespace.workspace,
    }


def flink_proxy(call: Call, params: Params, _body: Any) -> str:
    """Answer with what Flink's REST says about one job or one session cluster, as text without secrets.

    Paths that change something are refused. A path below `/jobs/` must be that job's: a runtime that jobs share holds
    those of other namespaces too; a session cluster's are all of its namespace.
    """
    kind = params["resourceType"]
    if kind not in _PROXIED:
        raise Invalid(f"expected {' or '.join(_PROXIED)}, got {kind[:80]!r}", at=("resourceType",))
    with call.store.read() as db:
        runtime, about = _PROXIED[kind](call, db, params)
    path = params["flinkApiPath"]
    for run in about:
        path = path.replace(run.id, run.job_id)
    steps = urlsplit(path).path.removeprefix("/v1").split("/")
    if kind == "jobs" and steps[1:2] == ["jobs"] and steps[2:3] != [about[0].job_id]:
        raise Invalid(f"expected a path below /jobs/{about[0].job_id}", at=("flinkApiPath",))
    status, _, content = proxy.fetch(runtime, path)
    said = proxy.text(status, content)
    for run in about:
        said = call.services.secrets(run).mask(said)
    return said


def _of_job(call: Call, db: Connection, params: Params) -> tuple[Runtime, Sequence[Run]]:
    run = _run(db, {**params, "jobId": params["resourceId"]})
    return call.services.where(run), [run]


def _of_cluster(call: Call, db: Connection, params: Params) -> tuple[Runtime, Sequence[Run]]:
    namespace = places.namespace(db, params)
    found = clusters.get(db, namespace.workspace, namespace.name, params["resourceId"])
    if found.state != "RUNNING":
        raise Conflict(f"expected session cluster {found.name} RUNNING, got {found.state}", advice="start it first")
    return call.services.cluster(found.id), clusters.held(db, found)


_PROXIED = {"jobs": _of_job, "sessionclusters": _of_cluster}
"""What may be looked at: where it runs, and the runs that are told of."""


def _last(db: Connection, run: Run, names: tuple[str, ...]) -> str:
    """Return what the newest of a run's events of these names says, as a line."""
    found = events.page(
        db, run.workspace, run.namespace, deployment_id=run.deployment_id, run_id=run.id, names=names, limit=1
    )
    return f"{found.items[0].message}\n" if found.items else ""


def _run(db: Connection, params: Params) -> Run:
    namespace = places.namespace(db, params)
    return runs.get(db, namespace.workspace, namespace.name, params["jobId"])


def _event(event: Event) -> dict[str, Any]:
    return {
        "createdAt": str(event.created_at // 1000),
        "deploymentId": event.deployment_id,
        "eventId": event.id,
        "eventName": event.name,
        "jobId": event.run_id,
        "message": event.message,
        "namespace": event.namespace,
        "workspace": event.workspace,
    }


def _symptom(run: Run) -> dict[str, str]:
    failure = run.failure or {}
    return {
        "name": str(failure.get("reason", "")),
        "description": str(failure.get("message", "")),
        "recommendation": str(failure.get("advice", "")),
    }


OPERATIONS: Mapping[str, Handler] = {
    "GetEvents": list_events,
    "GetLatestJobStartLog": start_log,
    "GetJobDiagnosis": diagnose,
    "FlinkApiProxy": flink_proxy,
}
