"""Operations on a running job's parallelism: changed while its Flink job lives on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane import units
from flinkform.controlplane.api import definition, jobs, places, quota
from flinkform.controlplane.api.call import Call, Handler, Params
from flinkform.controlplane.store import deployments, intents, rescales, runs
from flinkform.controlplane.store.namespaces import Namespace
from flinkform.controlplane.store.rescales import Rescale
from flinkform.controlplane.store.runs import PARALLELISM, Run
from flinkform.errors import Conflict

_SETTINGS = ("batchResourceSetting", "flinkConf", "streamingResourceSetting")


def hot_update(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Give a running job the parallelism that its deployment says now, or that the body does.

    Conflict: more than that differs, or the script decides on parallelism itself: only a new job can have that.
    """
    asked = (body or {}).get("rescaleJobParam") or {}
    if (body or {}).get("updateJobConfigParam"):
        raise Conflict("only the parallelism of a running job can change", advice="stop it and start it")
    definition.resources(runs.put({}, PARALLELISM, asked["jobParallelism"]) if asked.get("jobParallelism") else {})
    with call.store.write() as db:
        namespace = places.namespace(db, params)
        run = runs.get(db, namespace.workspace, namespace.name, params["jobId"])
        wanted = asked.get("jobParallelism") or _wanted(db, run)
        if not call.services.where(run).adaptive:
            advice = "set jobmanager.scheduler: adaptive in the cluster, or stop the job and start it"
            raise Conflict(f"the cluster of job {run.id} cannot change the parallelism of a running job", advice=advice)
        if own := definition.own_parallelism(run.definition):
            raise Conflict(f"job {run.id} decides on its parallelism itself, by {own}", advice="stop it and start it")
        _room(db, namespace, run, wanted)
        made = intents.rescale(db, run, wanted, creator=call.who, now=call.now)
    call.services.poke()
    return _shown(made, run)


def result(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Answer with how far a hot update is."""
    with call.store.read() as db:
        namespace = places.namespace(db, params)
        found = rescales.get(db, namespace.workspace, namespace.name, params["jobHotUpdateId"])
        return _shown(found, runs.get(db, namespace.workspace, namespace.name, found.run_id))


def _wanted(db: Connection, run: Run) -> int:
    """The parallelism that the deployment says. Conflict: something else of it differs from what runs."""
    source = deployments.get(db, run.workspace, run.namespace, run.deployment_id)
    wanted = runs.parallelism(source.document)
    hot = runs.put(run.definition, PARALLELISM, wanted)
    target = runs.put(source.document, PARALLELISM, wanted)
    differ = [part for part in deployments.DEFINITION if hot.get(part) != target.get(part)]
    if differ or run.batch:
        what = ", ".join(differ) or "a batch job"
        raise Conflict(f"only the parallelism of a running job can change, got {what}", advice="stop it and start it")
    return wanted


def _room(db: Connection, namespace: Namespace, run: Run, wanted: int) -> None:
    """Raise Conflict if the namespace has no room for a run of the parallelism *wanted*."""
    larger = runs.put(run.definition, PARALLELISM, wanted)
    quota.check(db, namespace, run.name, units.of_job(larger), free=units.of_job(run.definition))


def _shown(one: Rescale, run: Run) -> dict[str, Any]:
    """Return a hot update as the API shows it."""
    status: dict[str, Any] = {"status": one.state, "requestId": one.id}
    if one.failure:
        why = jobs.failure(one.failure)
        status["failure"] = {"reason": why["reason"], "message": why["message"], "failureSeverity": "LOW"}
    target = runs.put(run.definition, PARALLELISM, one.parallelism)
    return {
        "hotUpdateParams": {"rescaleJobParam": {"jobParallelism": one.parallelism}},
        "jobHotUpdateId": one.id,
        "jobId": one.run_id,
        "status": status,
        "targetResourceSetting": {name: target[name] for name in _SETTINGS if name in target},
    }


OPERATIONS: Mapping[str, Handler] = {
    "HotUpdateJob": hot_update,
    "GetHotUpdateJobResult": result,
}
