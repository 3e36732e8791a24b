"""The console's operations on tags of workspaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.api.call import Call, Handler, Params
from flinkform.controlplane.store import instances
from flinkform.controlplane.store.instances import Instance
from flinkform.errors import Invalid, NotFound

TYPE = "vvpinstance"
_MOST = 20
_LONGEST = 128
_ALL = 10_000
_PAGE = 1000

Tags = Sequence[Mapping[str, str]]


def tag(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Give workspaces tags; one of the same key is replaced. Invalid: too many, or a key that is none."""
    given = {_key(one): str(one.get("Value") or "") for one in params["Tag"]}
    with call.store.write() as db:
        for found in _found(db, params):
            kept = {one["Key"]: one.get("Value", "") for one in found.document.get("Tags", ())} | given
            if len(kept) > _MOST:
                raise Invalid(f"expected at most {_MOST} tags of instance {found.id}, got {len(kept)}", at=("Tag",))
            _keep(call, db, found, [{"Key": key, "Value": value} for key, value in kept.items()])
    return _answered(call)


def untag(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Take tags from workspaces: those of some keys, or all; who names neither loses none."""
    every, keys = bool(params.get("All")), set(params.get("TagKey") or ())
    with call.store.write() as db:
        for found in _found(db, params):
            tags = found.document.get("Tags", ())
            _keep(call, db, found, [one for one in tags if not (every and not keys) and one["Key"] not in keys])
    return _answered(call)


def index(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """List tags of workspaces, of those that carry every tag that is asked for; a key without a value fits any."""
    wanted = [(_key(one), one.get("Value")) for one in params.get("Tag") or ()]
    with call.store.read() as db:
        if params.get("ResourceId"):
            found = _found(db, params)
        else:
            _check_type(params)
            found = instances.page(db, region=params["RegionId"], limit=_ALL).items
    rows = [
        {"ResourceId": one.id, "ResourceType": TYPE, "TagKey": tag["Key"], "TagValue": tag.get("Value", "")}
        for one in found
        if all(_carries(one, key, value) for key, value in wanted)
        for tag in one.document.get("Tags", ())
    ]
    start = _start(params.get("NextToken") or "0")
    more = {"NextToken": str(start + _PAGE)} if start + _PAGE < len(rows) else {}
    return {"TagResources": rows[start : start + _PAGE], "TagReponseId": call.request_id, **more}


def _found(db: Connection, params: Params) -> list[Instance]:
    """Return the workspaces that a request names, all of them or none. NotFound."""
    _check_type(params)
    found = [instances.get(db, one) for one in params["ResourceId"]]
    for one in found:
        if one.region != params["RegionId"]:
            raise NotFound(f"no instance {one.id} in region {params['RegionId']}")
    return found


def _check_type(params: Params) -> None:
    if params["ResourceType"].lower() != TYPE:
        raise Invalid(f"expected {TYPE}, got {params['ResourceType'][:80]!r}", at=("ResourceType",))


def _key(one: Mapping[str, Any]) -> str:
    key = one.get("Key")
    if not key or len(key) > _LONGEST or len(one.get("Value") or "") > _LONGEST:
        raise Invalid(f"expected a key and a value of at most {_LONGEST} characters", at=("Tag",))
    return str(key)


def _keep(call: Call, db: Connection, found: Instance, tags: Tags) -> None:
    instances.amend(db, found.id, {**found.document, "Tags": [dict(one) for one in tags]}, now=call.now)
    call.record(db, "INSTANCE_TAGGED", f"tags of instance {found.name} changed", workspace=found.workspace)


def _carries(one: Instance, key: str, value: str | None) -> bool:
    return any(tag["Key"] == key and value in (None, "", tag.get("Value")) for tag in one.document.get("Tags", ()))


def _start(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise Invalid("expected the NextToken of an earlier answer", at=("NextToken",))
    return int(text)


def _answered(call: Call) -> dict[str, Any]:
    return {"Code": "200", "Message": "", "TagResponseId": call.request_id}


OPERATIONS: Mapping[str, Handler] = {"TagResources": tag, "UntagResources": untag, "ListTagResources": index}
