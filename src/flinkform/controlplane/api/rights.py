"""Who may do what: the policies of a key, those a temporary key is narrowed to, and the roles of members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import orjson
from sqlalchemy import Connection

from flinkform.controlplane import policy
from flinkform.controlplane.policy import Policies, Role, Verdict
from flinkform.controlplane.store import instances, things
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.instances import Instance
from flinkform.controlplane.store.keys import Key
from flinkform.controlplane.store.tokens import Token
from flinkform.errors import Forbidden, NotFound
from flinkform.openapi.operation import Operation
from flinkform.resources import member

CODE = "Forbidden.RAM"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: *principal* is a key's id, *through* that of a temporary one. Policies that are None allow all."""

    principal: str
    through: str = ""
    policies: Policies | None = None
    narrowed: Policies | None = None

    @classmethod
    def of(cls, key: Key, token: Token | None = None) -> Self:
        through, narrowed = (token.id, token.policies) if token else ("", None)
        return cls(key.id, through, _read(key.policies), _read(narrowed))

    @property
    def free(self) -> bool:
        """Say whether it may do everything."""
        return self.policies is None and self.narrowed is None


def check(store: Store, identity: Identity, operation: Operation, params: Mapping[str, Any], *, region: str) -> None:
    """Raise Forbidden, naming the action that lacks, unless policies or a role allow the operation where it plays."""
    if identity.free:
        return
    with store.read() as db:
        places = [tuple(names) for names in _places(db, params, region)]
        role = _role(db, identity.principal, params)
    actions = policy.actions(operation)
    said = Verdict.ALLOWED if identity.policies is None else policy.judge(identity.policies, actions, places)
    if said is Verdict.UNSAID and role is not None and role.covers(operation):
        said = Verdict.ALLOWED
    _decide(identity, actions, places, said)


def check_own(identity: Identity, action: str, place: str = "") -> None:
    """Raise Forbidden unless policies allow something that is not of the API: its pages, Terraform's states."""
    if identity.free:
        return
    actions, places = (f"flinkform:{action}",), [(f"acs:flinkform:*:*:{place or '*'}",)]
    said = Verdict.ALLOWED if identity.policies is None else policy.judge(identity.policies, actions, places)
    _decide(identity, actions, places, said)


def _decide(identity: Identity, actions: Sequence[str], places: Sequence[Sequence[str]], said: Verdict) -> None:
    if said is Verdict.ALLOWED and identity.narrowed is not None:
        said = policy.judge(identity.narrowed, actions, places)
    if said is Verdict.ALLOWED:
        return
    why = "a policy denies it" if said is Verdict.DENIED else "no policy and no role allows it"
    raise Forbidden(
        f"{identity.through or identity.principal} may not do {actions[0]} in {places[0][0]}: {why}",
        operation="",
        code=CODE,
        status=403,
        request_id="",
        action=actions[0],
        reason=said.value,
    )


def _places(db: Connection, params: Mapping[str, Any], region: str) -> Iterator[Sequence[str]]:
    """Yield the names of each place where an operation plays: a workspace goes by two ids, and a policy by either."""
    region = params.get("Region") or params.get("RegionId") or params.get("regionId") or region
    namespace = params.get("namespace") or params.get("Namespace") or ""
    one = params.get("workspace") or params.get("workspaceId") or params.get("InstanceId")
    for workspace in [one] if one else params.get("ResourceId") or ["*"]:
        found = _instance(db, workspace)
        if found is None:
            yield [policy.place(region, workspace, namespace)]
        else:
            yield [policy.place(found.region, name, namespace) for name in (found.id, found.workspace)]


def _instance(db: Connection, workspace: str) -> Instance | None:
    for find in (instances.by_workspace, instances.get):
        try:
            return find(db, workspace)
        except NotFound:
            continue
    return None


def _role(db: Connection, principal: str, params: Mapping[str, Any]) -> Role | None:
    """Return what a key is in the namespace of a request, where it is a member by its id or as `user:ID`."""
    workspace = params.get("workspace") or params.get("workspaceId")
    if not workspace or not params.get("namespace"):
        return None
    for name in (principal, f"user:{principal}"):
        if found := things.find(db, member.RESOURCE.name, workspace, params["namespace"], name):
            return Role(found.document["role"])
    return None


def _read(policies: list[dict[str, Any]] | None) -> Policies | None:
    return None if policies is None else _cached(orjson.dumps(policies))


@lru_cache(512)
def _cached(policies: bytes) -> Policies:
    return policy.read({"Version": "1", "Statement": orjson.loads(policies)})
