"""How a workspace is paid, and what may change by that: conversions, renewal, resizing of what was paid ahead.

Nothing is sold here; what each operation refuses is what the public service documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.api import instances as console
from flinkform.controlplane.api.call import Call, Handler, Params
from flinkform.controlplane.store import instances, namespaces
from flinkform.controlplane.store.instances import Instance
from flinkform.errors import Conflict, Invalid

POST, PRE = "POST", "PRE"
_ALL = 10_000
_CYCLES = {"Month": 31, "Year": 366}
"""Days of a pricing cycle, by its name."""
_DAY = 86_400_000


def convert(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Let a workspace be paid ahead. Conflict: it is already, or a namespace is left out or more than it is given."""
    specs = {one["Namespace"]: one["ResourceSpec"] for one in params["NamespaceResourceSpecs"]}
    for name, spec in specs.items():
        console.units(spec, f"NamespaceResourceSpecs.{name}")
    term = _term(params)
    with call.store.write() as db:
        found = _charged(db, params, POST, advice="it is paid ahead already; RenewInstance adds time")
        held = {one.name: one for one in namespaces.page(db, found.id, limit=_ALL).items}
        if set(specs) != set(held):
            odd = ", ".join(sorted(set(specs) ^ set(held)))
            raise Invalid(f"expected each namespace of the instance once, got it otherwise for {odd}")
        cpu = sum(spec["Cpu"] for spec in specs.values())
        for name, one in held.items():
            document = {**one.document, "ResourceSpec": specs[name]}
            namespaces.amend(db, found.id, name, document, now=call.now)
        spec = {"Cpu": cpu, "MemoryGB": cpu * 4}
        ends = {"ResourceExpiredTime": call.now + term}
        _change(call, db, found, {"ChargeType": PRE, "ResourceSpec": spec, **ends}, "converted to PRE")
    return {"OrderId": call.now}


def convert_back(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Let a workspace be paid as it is used. Conflict: it is already."""
    with call.store.write() as db:
        found = _charged(db, params, PRE, advice="it is paid as it is used already")
        _change(call, db, found, {"ChargeType": POST, "ResourceExpiredTime": None}, "converted to POST")
    return {"OrderId": call.now}


def renew(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Add time to a workspace that is paid ahead, from its end on. Conflict: it has none."""
    term = _term(params)
    with call.store.write() as db:
        found = _charged(db, params, PRE, advice="only what is paid ahead has an end")
        ends = max(found.document.get("ResourceExpiredTime") or 0, call.now) + term
        instances.amend(db, found.id, {**found.document, "ResourceExpiredTime": ends}, now=call.now)
        _record(call, db, found, "renewed")
    return {"OrderId": call.now}


def resize(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Give a workspace that is paid ahead other resources. Conflict: it is not, or its namespaces hold more."""
    console.units(params["ResourceSpec"], "ResourceSpec")
    with call.store.write() as db:
        found = _charged(db, params, PRE, advice="ModifyInstanceSpec is for what is paid as it is used")
        sizes = {one.name: _cpu(one.document) for one in namespaces.page(db, found.id, limit=_ALL).items}
        if sum(sizes.values()) > params["ResourceSpec"]["Cpu"]:
            held = ", ".join(f"{name} {cpu}" for name, cpu in sorted(sizes.items()))
            raise Conflict(
                f"expected at least the {sum(sizes.values())} cores of its namespaces ({held})",
                advice="make a namespace smaller first",
            )
        names = ("ResourceSpec", "Ha", "HaResourceSpec", "HaVSwitchIds")
        _change(call, db, found, {name: params[name] for name in names if name in params}, "modified")
    return {"OrderId": call.now}


def switches(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Let a workspace join other switches of its network."""
    given = {name: params[name] for name in ("VSwitchIds", "HaVSwitchIds") if params.get(name)}
    if not given:
        raise Invalid("is required and missing", at=("VSwitchIds",))
    with call.store.write() as db:
        _change(call, db, instances.get(db, params["InstanceId"]), given, "moved to other switches")
    return {"Result": "OK"}


def _charged(db: Connection, params: Params, kind: str, *, advice: str) -> Instance:
    """Return the workspace if it is paid in this way."""
    found = console.find(db, params)
    charged = found.document.get("ChargeType", POST)
    if charged != kind:
        raise Conflict(f"expected instance {found.id} with ChargeType {kind}, got {charged}", advice=advice)
    return found


def _change(call: Call, db: Connection, found: Instance, changes: Mapping[str, Any], verb: str) -> None:
    merged = {name: value for name, value in {**found.document, **changes}.items() if value is not None}
    instances.modify(db, found.id, merged, now=call.now)
    _record(call, db, found, verb)


def _record(call: Call, db: Connection, found: Instance, verb: str) -> None:
    call.record(db, "INSTANCE_MODIFIED", f"instance {found.name} {verb}", workspace=found.workspace)


def _term(params: Params) -> int:
    """Return the milliseconds that are paid for."""
    days = _CYCLES.get(params["PricingCycle"])
    if days is None:
        raise Invalid(f"expected {' or '.join(_CYCLES)}, got {params['PricingCycle'][:40]!r}", at=("PricingCycle",))
    if not 1 <= params["Duration"] <= 36:
        raise Invalid(f"expected 1 to 36, got {params['Duration']}", at=("Duration",))
    return int(params["Duration"]) * days * _DAY


def _cpu(document: Mapping[str, Any]) -> int:
    return int((document.get("ResourceSpec") or {}).get("Cpu") or 0)


OPERATIONS: Mapping[str, Handler] = {
    "ConvertInstance": convert,
    "ConvertPrepayInstance": convert_back,
    "ModifyInstanceVswitch": switches,
    "ModifyPrepayInstanceSpec": resize,
    "RenewInstance": renew,
}
