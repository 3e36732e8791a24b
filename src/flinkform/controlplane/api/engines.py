"""Operations that ask the engine itself: which versions there are, and whether a script is valid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flinkform.controlplane import secrets
from flinkform.controlplane.api import places
from flinkform.controlplane.api.call import Call, Handler, Params
from flinkform.controlplane.store import instances
from flinkform.flink import engines
from flinkform.flink.values import Problem
from flinkform.openapi import engine
from flinkform.schema.codec import text

VALID, INVALID = "VALIDATION_RESULT_VALID", "VALIDATION_RESULT_INVALID"


def list_versions(call: Call, params: Params, _body: Any) -> dict[str, Any]:
    """Answer with the engines that can run here."""
    with call.store.read() as db:
        instances.by_workspace(db, params["workspace"])
    features = {"supportNativeSavepoint": True, "useForSqlDeployments": True}
    versions = [{"engineVersion": one, "status": "STABLE", "features": features} for one in names(call)]
    return {"defaultEngineVersion": call.services.settings.engine, "engineVersionMetadata": versions}


def names(call: Call) -> tuple[str, ...]:
    """Return the engine versions that can run here, the default one first."""
    settings = call.services.settings
    others = [engine.name(line) for line in engines.installed(settings.engines)]
    return tuple(dict.fromkeys([settings.engine, *others]))


def validate(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Let Flink's planner read a script, without running any of it; what it finds first is told."""
    with call.store.read() as db:
        place = places.namespace(db, params)
        problems = list(secrets.problems(db, place.workspace, place.name, body["statement"]))
    options = {name: text(value) for name, value in (body.get("flinkConfiguration") or {}).items()}
    problems = problems or call.services.runtime.validate(body["statement"], batch=body["batchMode"], options=options)
    if not problems:
        return {"success": True, "validationResult": VALID, "message": ""}
    return {
        "success": False,
        "validationResult": INVALID,
        "message": problems[0].message,
        "errorDetails": details(problems[0]),
    }


def details(problem: Problem) -> dict[str, Any]:
    """Return a problem as the API's model has it: its numbers are text."""
    return {
        "lineNumber": str(problem.line),
        "columnNumber": str(problem.column),
        "endLineNumber": str(problem.end_line),
        "endColumnNumber": str(problem.end_column),
        "message": problem.message,
        "invalidflinkConf": [],
    }


OPERATIONS: Mapping[str, Handler] = {
    "ListEngineVersionMetadata": list_versions,
    "ValidateSqlStatement": validate,
}
