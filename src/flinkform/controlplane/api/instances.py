"""The console's operations on instances, which everything else calls workspaces."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.api.call import Call, Handler, Listed, Params
from flinkform.controlplane.store import instances, namespaces
from flinkform.controlplane.store.instances import Instance
from flinkform.errors import Invalid, NotFound
from flinkform.resources import workspace as declared

_ALL = 10_000
_KEPT = (
    "ArchitectureType",
    "ChargeType",
    "Ha",
    "HaResourceSpec",
    "HaVSwitchIds",
    "MonitorType",
    "ResourceGroupId",
    "ResourceSpec",
    "Storage",
    "VSwitchIds",
    "VpcId",
)
"""What is answered as it was asked for."""


def create(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Make an instance and, as the public service does, a namespace `<name>-default` in it."""
    _check(params)
    instance_id, workspace = f"f-cn-{secrets.token_hex(6)}", secrets.token_hex(8)
    now = call.now
    document = {name: params[name] for name in _KEPT if name in params} | {"Tags": params.get("Tag", [])}
    spec = params.get("DefaultNamespaceResourceSpec") or params.get("ResourceSpec")
    with call.store.write() as db:
        instances.create(
            db,
            instance_id,
            workspace=workspace,
            name=params["InstanceName"],
            region=params["Region"],
            document=document,
            now=now,
        )
        default = f"{params['InstanceName']}-default"
        namespaces.create(db, instance_id, default, document={"ResourceSpec": spec} if spec else {}, now=now)
        call.record(db, "INSTANCE_CREATED", f"instance {params['InstanceName']} created", workspace=workspace)
    return {"OrderInfo": {"InstanceId": instance_id, "OrderId": now}}


def describe(call: Call, params: Params, _body: Any) -> Listed:
    """List instances; there are few, so what the store cannot filter is filtered here."""
    page = call.window(params)
    with call.store.read() as db:
        found = instances.page(
            db,
            region=params["Region"],
            instance_id=params.get("InstanceId"),
            name=params.get("InstanceName"),
            limit=_ALL,
        )
        wanted = [one for one in found.items if _matches(db, one, params)]
    shown = wanted[page.offset : page.offset + page.size]
    return Listed([shape(one) for one in shown], len(wanted), page)


def modify(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Give an instance other resources; it is MODIFYING until it has them."""
    units(params["ResourceSpec"], "ResourceSpec")
    now = call.now
    with call.store.write() as db:
        found = find(db, params)
        changes = {name: params[name] for name in ("ResourceSpec", "Ha", "HaResourceSpec") if name in params}
        instances.modify(db, found.id, {**found.document, **changes}, now=now)
        call.record(db, "INSTANCE_MODIFIED", f"instance {found.name} modified", workspace=found.workspace)
    return {"OrderId": now}


def delete(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Let an instance go, with its namespaces; refused while they hold deployments."""
    with call.store.write() as db:
        found = find(db, params)
        instances.request_delete(db, found.id, now=call.now)
        call.record(db, "INSTANCE_DELETED", f"instance {found.name} deleted", workspace=found.workspace)
    return {}


def find(db: Connection, params: Params) -> Instance:
    """Return the instance that *params* name; one of another region is not there."""
    found = instances.get(db, params["InstanceId"])
    if found.region != params["Region"]:
        raise NotFound(f"no instance {found.id} in region {params['Region']}")
    return found


def units(spec: Any, name: str) -> None:
    """Check a ResourceSpec: the public service sells cores with 4 GB each."""
    cpu, memory = spec.get("Cpu"), spec.get("MemoryGB")
    if not cpu or cpu < 1:
        raise Invalid(f"expected at least 1, got {cpu}", at=(name, "Cpu"))
    if memory is not None and memory != cpu * 4:
        raise Invalid(f"expected {cpu * 4} (4 GB for each core), got {memory}", at=(name, "MemoryGB"))


def shape(found: Instance) -> dict[str, Any]:
    """Return an instance as DescribeInstances shows it."""
    document: Mapping[str, Any] = found.document
    return {
        "Elastic": False,
        "Ha": False,
        **document,
        "ClusterStatus": found.status,
        "DeletionProtection": False,
        "HostAliases": [],
        "InstanceId": found.id,
        "InstanceName": found.name,
        "OrderState": "NORMAL",
        "Region": found.region,
        "ResourceCreateTime": found.created_at,
        "ResourceId": found.workspace,
    }


def _check(params: Params) -> None:
    declared.RESOURCE.attribute("name").type.check(params["InstanceName"], ("InstanceName",))
    declared.RESOURCE.attribute("charge_type").type.check(params["ChargeType"], ("ChargeType",))
    for name in ("ResourceSpec", "DefaultNamespaceResourceSpec"):
        if name in params:
            units(params[name], name)


def _matches(db: Connection, one: Instance, params: Params) -> bool:
    shown = shape(one)
    for name in ("ArchitectureType", "ChargeType", "Elastic", "ResourceGroupId"):
        if name in params and shown.get(name) != params[name]:
            return False
    if "NamespaceName" in params and not namespaces.page(db, one.id, name=params["NamespaceName"]).total:
        return False
    return all(tag in shown["Tags"] for tag in params.get("Tags", ()))


OPERATIONS: Mapping[str, Handler] = {
    "CreateInstance": create,
    "DescribeInstances": describe,
    "ModifyInstanceSpec": modify,
    "DeleteInstance": delete,
}
