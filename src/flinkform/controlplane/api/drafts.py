"""What holds for drafts beyond their declaration: locks, and the way from a draft to a deployment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.api import deployments, engines, folders, locks, tickets
from flinkform.controlplane.api.call import Call, Handler, Params
from flinkform.controlplane.api.kept import Keeper, Rules
from flinkform.controlplane.store import things
from flinkform.controlplane.store.things import Thing
from flinkform.errors import Invalid, NotFound
from flinkform.resources import draft as declared

VALIDATION, DEPLOYMENT = "draft_validation", "draft_deployment"
_KIND = "SQLSCRIPT"
_DEPLOYED = ("artifact", "engineVersion", "executionMode", "labels")
"""What of a draft a deployment is made of."""


def create(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Make a draft."""
    _possible(body)
    return KEEPER.create(call, params, body)


def update(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Change what is sent and leave the rest; who edits takes the lock or has it. Conflict: another has it."""
    _possible(body)
    return KEEPER.update(call, params, body)


def lock(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Take the lock of a draft, or renew it. Conflict: somebody else has it."""
    with call.store.write() as db:
        return locks.shown(locks.take(call, db, _find(db, params, params["deploymentDraftId"])))


def validate(call: Call, params: Params, body: Any) -> dict[str, str]:
    """Let Flink's planner read a draft, behind a ticket."""
    draft = _taken(call, params, body)
    return tickets.issue(call, params, VALIDATION, partial(_validated, call, draft))


def deploy(call: Call, params: Params, body: Any) -> dict[str, str]:
    """Make a deployment of a draft, or bring the one made of it before up to it, behind a ticket."""
    draft = _taken(call, params, body)
    return tickets.issue(call, params, DEPLOYMENT, partial(_deployed, call, dict(params), body, draft))


def _taken(call: Call, params: Params, body: Any) -> Thing:
    """Return the draft that a request names, locked for who asks."""
    if not body.get("deploymentDraftId"):
        raise Invalid("is required and missing", at=("deploymentDraftId",))
    with call.store.write() as db:
        draft = _find(db, params, body["deploymentDraftId"])
        locks.take(call, db, draft)
    return draft


def _problem(call: Call, draft: Thing) -> dict[str, Any] | None:
    """Return the first thing that is wrong with a draft's script."""
    script = draft.document["artifact"]["sqlArtifact"]["sqlScript"]
    batch = draft.document["executionMode"] == "BATCH"
    problems = call.services.runtime.validate(script, batch=batch, options={})
    if not problems:
        return None
    # The model of a draft's problem lacks what that of a statement's has.
    return {name: value for name, value in engines.details(problems[0]).items() if name != "invalidflinkConf"}


def _validated(call: Call, draft: Thing) -> dict[str, Any]:
    wrong = _problem(call, draft)
    told: dict[str, Any] = {"sqlValidationResult": engines.INVALID if wrong else engines.VALID}
    told |= {"draftMetaInfoErrorDetails": []} | ({"sqlErrorDetail": wrong} if wrong else {})
    return {"success": not wrong, "message": wrong["message"] if wrong else "", "draftValidationDetail": told}


def _deployed(call: Call, params: Params, body: Mapping[str, Any], draft: Thing) -> dict[str, Any]:
    wrong = None if body.get("skipValidate") else _problem(call, draft)
    if wrong:
        told = {"errorDetails": wrong, "validationResult": engines.INVALID}
        return {"success": False, "message": wrong["message"], "artifactValidationDetail": told}
    document = {name: draft.document[name] for name in _DEPLOYED if name in draft.document}
    document |= {"name": draft.document["name"], "referencedDeploymentDraftId": draft.id}
    if body.get("deploymentTarget"):
        document["deploymentTarget"] = body["deploymentTarget"]
    made = _placed(call, params, document, str(draft.document.get("referencedDeploymentId") or ""))
    with call.store.write() as db:
        newest = _find(db, params, draft.id)
        things.replace(db, replace(newest, document={**newest.document, "referencedDeploymentId": made}))
    return {"success": True, "message": "", "deploymentId": made}


def _placed(call: Call, params: Params, document: dict[str, Any], deployment_id: str) -> str:
    """Return the id of the deployment that has *document* now: the one of that id if it is still there."""
    if deployment_id:
        try:
            deployments.update(call, {**params, "deploymentId": deployment_id}, document)
        except NotFound:
            pass
        else:
            return deployment_id
    return str(deployments.create(call, params, document)["deploymentId"])


def _possible(body: Mapping[str, Any]) -> None:
    """Refuse what no deployment here could be made of, rather than to forget it."""
    kind = (body.get("artifact") or {}).get("kind", _KIND)
    if kind != _KIND:
        raise Invalid(f"expected {_KIND}, got {str(kind)[:80]!r}", at=("artifact", "kind"))
    if body.get("localVariables"):
        raise Invalid("a draft keeps none", at=("localVariables",), advice="give them to the deployment")


def _find(db: Connection, params: Params, draft_id: str) -> Thing:
    return KEEPER.find(db, declared.RESOURCE.api.read, {**params, "deploymentDraftId": draft_id}, None)


def _fill(call: Call, document: dict[str, Any]) -> None:
    document["artifact"]["kind"] = _KIND
    document.setdefault("engineVersion", call.services.settings.engine)
    document.setdefault("parentId", folders.ROOT)


def _check(call: Call, db: Connection, after: Thing, before: Thing | None) -> None:
    folders.parent(db, after)
    if before:
        locks.take(call, db, before)


def _show(call: Call, db: Connection, one: Thing) -> dict[str, Any]:
    held = locks.held(call, db, one)
    return {"lock": held} if held else {}


def _leave(call: Call, db: Connection, one: Thing) -> None:
    locks.take(call, db, one)
    locks.drop(db, one)


RULES = Rules(fill=_fill, check=_check, show=_show, leave=_leave)
KEEPER = Keeper(declared.RESOURCE, RULES)
OPERATIONS: Mapping[str, Handler] = {
    **KEEPER.operations,
    "CreateDeploymentDraft": create,
    "UpdateDeploymentDraft": update,
    "GetDeploymentDraftLock": lock,
    "ValidateDeploymentDraftAsync": validate,
    "GetValidateDeploymentDraftResult": lambda call, params, _: tickets.outcome(call, params, VALIDATION),
    "DeployDeploymentDraftAsync": deploy,
    "GetDeployDeploymentDraftResult": lambda call, params, _: tickets.outcome(call, params, DEPLOYMENT),
}
