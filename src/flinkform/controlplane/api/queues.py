"""What holds for deployment targets beyond their declaration: some are always there, and jobs run in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.api import places
from flinkform.controlplane.api.call import Call, Handler, Listed, Params
from flinkform.controlplane.api.kept import Keeper, Rules
from flinkform.controlplane.store import deployments, things
from flinkform.controlplane.store.things import Thing
from flinkform.controlplane.targets import QUEUE
from flinkform.errors import Conflict, few
from flinkform.resources import deployment_target as declared

TYPE = declared.RESOURCE.name
_ALL = 10_000


def known(call: Call, db: Connection, workspace: str, namespace: str) -> dict[str, str]:
    """Return the targets of a namespace with what each stands for: a session cluster, else the Flink beside us.

    Those that were made through the API are shares of that one, as the usual queue is.
    """
    made = things.ids(db, TYPE, workspace, namespace)
    clusters = {name: name for name in call.services.settings.targets}
    return {QUEUE: QUEUE, **dict.fromkeys(made, QUEUE), **clusters}


def index(call: Call, params: Params, _body: Any) -> Listed:
    """List the queue that is always there, as large as its namespace, those made, and the session clusters declared."""
    page = call.window(params)
    with call.store.read() as db:
        found = places.namespace(db, params)
        made = things.page(db, TYPE, found.workspace, found.name, limit=_ALL).items
        shown = [KEEPER.shown(call, db, one) for one in made]
    usual: dict[str, Any] = {"name": QUEUE, "namespace": found.name}
    if spec := found.document.get("ResourceSpec"):
        usual["quota"] = {"limit": {"cpu": float(spec["Cpu"]), "memory": f"{spec['Cpu'] * 4}Gi"}}
    clusters = [{"name": name, "namespace": found.name} for name in call.services.settings.targets]
    every = [usual, *shown, *clusters]
    return Listed(every[page.offset : page.offset + page.size], len(every), page)


def create_elastic(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Make a target of a guaranteed share and one that it may have beside."""
    return KEEPER.create(call, params, _together(body))


def update_elastic(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Give a target other shares."""
    return KEEPER.update(call, params, _together(body))


def _together(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sum of both shares: it is what jobs may use, and all that the API tells of a target."""
    shares = [share for share in (body.get("fixedResource"), body.get("elasticResource")) if share]
    memory = sum(_gibibytes(share.get("memory") or "0Gi") for share in shares)
    return {"cpu": sum(float(share.get("cpu") or 0) for share in shares), "memory": f"{memory:g}Gi"}


def _gibibytes(text: str) -> float:
    attribute = declared.RESOURCE.attribute("memory")
    amount = attribute.codec.decode(text)
    attribute.type.check(amount, ("memory",))
    return float(amount.removesuffix("Gi"))


def _check(call: Call, _db: Connection, after: Thing, before: Thing | None) -> None:
    if before is None and (after.id == QUEUE or after.id in call.services.settings.targets):
        raise Conflict(f"deployment target {after.id} exists already", advice="choose another name")


def _leave(_call: Call, db: Connection, one: Thing) -> None:
    users = deployments.naming(db, one.workspace, one.namespace, target=one.id)
    if users:
        raise Conflict(
            f"deployment target {one.id} is what {few(users)} run in",
            advice="give them another one first",
        )


RULES = Rules(check=_check, leave=_leave)
KEEPER = Keeper(declared.RESOURCE, RULES)
OPERATIONS: Mapping[str, Handler] = {
    **KEEPER.operations,
    "CreateDeploymentTargetV2": create_elastic,
    "ListDeploymentTargets": index,
    "UpdateDeploymentTargetV2": update_elastic,
}
