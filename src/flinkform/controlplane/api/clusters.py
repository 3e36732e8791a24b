"""What holds for session clusters beyond their declaration: they start, stop, change under their jobs, and are used."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane import secrets, units
from flinkform.controlplane.api import definition, engines, places, queues, quota
from flinkform.controlplane.api.call import Call, Handler, Params
from flinkform.controlplane.api.kept import Keeper, Rules
from flinkform.controlplane.reconcile import rooms
from flinkform.controlplane.store import clusters, deployments, namespaces
from flinkform.controlplane.store.clusters import UP, Cluster
from flinkform.controlplane.store.things import Thing
from flinkform.errors import Conflict, Invalid, few
from flinkform.openapi import engine
from flinkform.resources import session_cluster as declared

SESSION = "SESSION"
"""The mode of a deployment target that is a session cluster."""
_MADE_OF = ("basicResourceSetting", "engineVersion", "flinkConf")
"""What another JVM is needed for."""


def start(call: Call, params: Params, _body: Any) -> None:
    """Let a cluster run. Conflict: it does, or is on its way somewhere."""
    with call.store.write() as db:
        found = _find(db, params)
        _expect(found, "STOPPED", "FAILED")
        wanted = units.of_cluster(clusters.document(db, found))
        quota.check(db, places.namespace(db, params), f"session cluster {found.name}", wanted)
        _turn(call, db, found, "STARTING", "started")
    call.services.poke()


def stop(call: Call, params: Params, _body: Any) -> None:
    """End a cluster. Conflict: jobs run on it, which it names, or it does not run."""
    with call.store.write() as db:
        found = _find(db, params)
        _expect(found, "STARTING", "RUNNING", "FAILED")
        if users := sorted({run.name for run in clusters.held(db, found)}):
            raise Conflict(
                f"session cluster {found.name} runs {few(users)}",
                advice="stop them first, with savepoints if need be",
            )
        _turn(call, db, found, "STOPPING", "stopped")
    call.services.poke()


def known(db: Connection, workspace: str, namespace: str) -> dict[str, str]:
    """Return the clusters of a namespace with what each is called in the definition of a run."""
    return {one.name: one.runtime for one in clusters.within(db, workspace, namespace)}


def targets(call: Call, db: Connection, workspace: str, namespace: str, mode: str) -> dict[str, str]:
    """Return what a deployment of this *mode* may be sent to, each with what it stands for."""
    return known(db, workspace, namespace) if mode == SESSION else queues.known(call, db, workspace, namespace)


def usable(db: Connection, workspace: str, namespace: str, definition: Mapping[str, Any]) -> None:
    """Raise Conflict unless the cluster that a *definition* names takes jobs, and runs the engine that it wants."""
    target = definition["deploymentTarget"]
    if target.get("mode") != SESSION:
        return
    found = clusters.get(db, workspace, namespace, target["name"])
    if found.state not in UP:
        told = f"expected session cluster {found.name} RUNNING, got {found.state}"
        raise Conflict(told, advice="start it first")
    has = str(clusters.document(db, found)["engineVersion"])
    if engine.line(has) != engine.line(str(definition.get("engineVersion") or "")):
        told = f"expected the engine {has} of session cluster {found.name}, got {definition.get('engineVersion')}"
        raise Invalid(told, at=("engineVersion",))


def _find(db: Connection, params: Params) -> Cluster:
    namespace = places.namespace(db, params)
    return clusters.get(db, namespace.workspace, namespace.name, params["sessionClusterName"])


def _expect(found: Cluster, *states: str) -> None:
    if found.state not in states:
        raise Conflict(
            f"expected session cluster {found.name} {' or '.join(states)}, got {found.state}",
            advice="wait until it is" if found.state in ("UPDATING", "STOPPING") else "",
        )


def _turn(call: Call, db: Connection, found: Cluster, state: str, verb: str) -> None:
    """Write down where a cluster is to go; the reconciler takes it there."""
    clusters.change(db, found, {"state": state, "since": call.now, "failure": None})
    what = f"session cluster {found.name} {verb}"
    call.record(db, f"SESSION_CLUSTER_{verb.upper()}", what, workspace=found.workspace, namespace=found.namespace)


def _fill(call: Call, document: dict[str, Any]) -> None:
    document.setdefault("engineVersion", call.services.settings.engine)


def _check(call: Call, db: Connection, after: Thing, before: Thing | None) -> None:
    """Refuse what no JVM can be made of; a cluster that runs is UPDATING until it has what is new."""
    versions = engines.names(call)
    if after.document["engineVersion"] not in versions:
        got = str(after.document["engineVersion"])[:80]
        raise Invalid(f"expected {' or '.join(versions)}, got {got!r}", at=("engineVersion",))
    queue = after.document["deploymentTargetName"]
    if queue not in (every := queues.known(call, db, after.workspace, after.namespace)):
        raise Invalid(f"expected {' or '.join(every)}, got {queue[:80]!r}", at=("deploymentTargetName",))
    rooms.check(after.document)
    secrets.unnamed(after.document.get("flinkConf") or {}, "flinkConf")
    definition.loggers(after.document.get("logging") or {})
    if before is None:
        _add(call, db, after)
    elif any(before.document.get(name) != after.document.get(name) for name in _MADE_OF):
        _remake(call, db, after, before)


def _add(call: Call, db: Connection, made: Thing) -> None:
    if made.id in known(db, made.workspace, made.namespace):
        raise Conflict(f"a session cluster like that exists already: {made.id}", advice="choose another name")
    clusters.add(
        db,
        Cluster(
            id=str(uuid.uuid4()),
            workspace=made.workspace,
            namespace=made.namespace,
            name=made.id,
            revision=1,
            state="STOPPED",
            since=call.now,
        ),
    )


def _remake(call: Call, db: Connection, after: Thing, before: Thing) -> None:
    found = clusters.get(db, after.workspace, after.namespace, after.id)
    _expect(found, "STOPPED", "FAILED", "RUNNING")
    state = "UPDATING" if found.state == "RUNNING" else found.state
    if state == "UPDATING":
        place, name = namespaces.within(db, after.workspace, after.namespace), f"session cluster {after.id}"
        quota.check(db, place, name, units.of_cluster(after.document), free=units.of_cluster(before.document))
    clusters.change(db, found, {"state": state, "revision": found.revision + 1, "since": call.now})
    call.services.poke()


def _show(_call: Call, db: Connection, one: Thing) -> dict[str, Any]:
    found = clusters.get(db, one.workspace, one.namespace, one.id)
    status: dict[str, Any] = {"currentSessionClusterStatus": found.state}
    if found.failure:
        status["failure"] = {**found.failure, "failedAt": int(found.failure["failedAt"]) // 1000}
    if found.state == "RUNNING":
        used = sorted({run.deployment_id for run in clusters.held(db, found)})
        since = found.since // 1000
        status["running"] = {"startedAt": since, "lastUpdateTime": since, "referenceDeploymentIds": used}
    return {"sessionClusterId": found.id, "status": status}


def _leave(_call: Call, db: Connection, one: Thing) -> None:
    found = clusters.get(db, one.workspace, one.namespace, one.id)
    _expect(found, "STOPPED", "FAILED")
    if users := deployments.naming(db, one.workspace, one.namespace, target=one.id, mode=SESSION):
        raise Conflict(f"session cluster {one.id} is where {few(users)} run", advice="give them another target first")
    clusters.remove(db, found)


RULES = Rules(fill=_fill, check=_check, show=_show, leave=_leave)
KEEPER = Keeper(declared.RESOURCE, RULES)
OPERATIONS: Mapping[str, Handler] = {
    **KEEPER.operations,
    "StartSessionCluster": start,
    "StopSessionCluster": stop,
}
