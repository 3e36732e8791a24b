"""The console's operations on namespaces, and what deployments' operations say of their queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flinkform.controlplane.api import instances, quota
from flinkform.controlplane.api.call import Call, Handler, Listed, Params
from flinkform.controlplane.store import clusters, deployments
from flinkform.controlplane.store import namespaces as kept
from flinkform.controlplane.store.namespaces import Namespace
from flinkform.errors import Conflict
from flinkform.resources import namespace as declared


def create(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Make a namespace; the instance must be RUNNING, as the public service wants it."""
    declared.RESOURCE.attribute("name").type.check(params["Namespace"], ("Namespace",))
    if "ResourceSpec" in params:
        instances.units(params["ResourceSpec"], "ResourceSpec")
    document = {name: params[name] for name in ("Ha", "ResourceSpec") if name in params}
    with call.store.write() as db:
        instance = instances.find(db, params)
        if instance.status not in ("RUNNING", "MODIFYING"):
            raise Conflict(f"expected instance {instance.id} RUNNING, got {instance.status}", advice="wait until it is")
        made = kept.create(db, instance.id, params["Namespace"], document=document, now=call.now)
        _record(call, db, "NAMESPACE_CREATED", made, "created")
    return {}


def describe(call: Call, params: Params, _body: Any) -> Listed:
    """List an instance's namespaces, oldest first."""
    page = call.window(params)
    with call.store.read() as db:
        instance = instances.find(db, params)
        found = kept.page(db, instance.id, name=params.get("Namespace"), offset=page.offset, limit=page.size)
    return Listed([shape(one) for one in found.items], found.total, page)


def modify(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Give a namespace other resources; it is MODIFYING until it has them."""
    changes: dict[str, Any] = {}
    for name in ("GuaranteedResourceSpec", "ElasticResourceSpec"):
        if name in params:
            instances.units(params[name], name)
            changes[name] = params[name]
    if "GuaranteedResourceSpec" in changes:
        changes["ResourceSpec"] = changes["GuaranteedResourceSpec"]
    with call.store.write() as db:
        instance = instances.find(db, params)
        found = kept.get(db, instance.id, params["Namespace"])
        quota.shrinks(db, found, {**found.document, **changes})
        kept.modify(db, instance.id, found.name, {**found.document, **changes}, now=call.now)
        _record(call, db, "NAMESPACE_MODIFIED", found, "modified")
    return {}


def delete(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Let a namespace go; Conflict while it holds deployments, saying how many."""
    with call.store.write() as db:
        instance = instances.find(db, params)
        found = kept.get(db, instance.id, params["Namespace"])
        held = deployments.page(db, found.workspace, found.name, limit=1)
        if held.total:
            some = f"{held.total} deployment{'s' * (held.total > 1)}, such as {held.items[0].name}"
            raise Conflict(f"namespace {found.name} still holds {some}", advice="delete them first")
        running = [one.name for one in clusters.within(db, found.workspace, found.name) if one.state in clusters.UP]
        if running:
            told = f"namespace {found.name} still runs session cluster {', '.join(running[:3])}"
            raise Conflict(told, advice="stop it first")
        kept.request_delete(db, instance.id, found.name, now=call.now)
        _record(call, db, "NAMESPACE_DELETED", found, "deleted")
    return {}


def shape(found: Namespace) -> dict[str, Any]:
    """Return a namespace as DescribeNamespaces shows it."""
    guaranteed = {"GuaranteedResourceSpec": found.document["ResourceSpec"]} if "ResourceSpec" in found.document else {}
    return {
        "Ha": False,
        "Tags": [],
        **guaranteed,
        **found.document,
        "GmtCreate": found.created_at,
        "GmtModified": found.modified_at,
        "Namespace": found.name,
        "Status": found.status,
    }


def _record(call: Call, db: Any, name: str, found: Namespace, verb: str) -> None:
    call.record(db, name, f"namespace {found.name} {verb}", workspace=found.workspace, namespace=found.name)


OPERATIONS: Mapping[str, Handler] = {
    "CreateNamespace": create,
    "DescribeNamespaces": describe,
    "ModifyNamespaceSpecV2": modify,
    "DeleteNamespace": delete,
}
