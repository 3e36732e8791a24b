"""What a deployment may say: the rules for its document, which are the same when it is made and when it changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flinkform.controlplane import secrets
from flinkform.controlplane.delivery import fetch
from flinkform.controlplane.reconcile import seating
from flinkform.controlplane.retention import Policy
from flinkform.controlplane.targets import QUEUE
from flinkform.errors import Invalid, Path
from flinkform.resources import job

KEPT = (
    "artifact",
    "batchResourceSetting",
    "deploymentTarget",
    "description",
    "engineVersion",
    "executionMode",
    "flinkConf",
    "labels",
    "localVariables",
    "logging",
    "referencedDeploymentDraftId",
    "streamingResourceSetting",
)
"""The fields of a Deployment that a caller decides; the others are the control plane's, and ignored when sent."""

_PARTS = {"SQLSCRIPT": "sqlArtifact", "JAR": "jarArtifact"}
_LISTS = ("localVariables",)
_OWN = re.compile(r"[\w.-]*(?:parallelism|keyed-shuffle)", re.IGNORECASE)


def made(body: Mapping[str, Any], *, engine: str) -> dict[str, Any]:
    """Return the document of a new deployment, with what the control plane fills in; Invalid as in `check`."""
    document = {name: body[name] for name in KEPT if name in body and not (name in _LISTS and body[name] == [])}
    document.setdefault("engineVersion", engine)
    artifact = document.get("artifact") or {}
    if part := _PARTS.get(str(artifact.get("kind"))):
        # What another kind left is no part of this one.
        document["artifact"] = {name: value for name, value in artifact.items() if name in ("kind", part)}
    target = document.setdefault("deploymentTarget", {})
    document["deploymentTarget"] = {"mode": "PER_JOB", "name": QUEUE, **target}
    return document


def check(name: str, document: Mapping[str, Any], *, engines: tuple[str, ...], targets: Mapping[str, str]) -> None:
    """Raise Invalid, with the field's path, for a document that no job could be started from.

    *targets* are those there are, each with what it stands for: a cluster, or the queue that is the Flink beside us.
    """
    _attribute("name", name, ("name",))
    _attribute("execution_mode", document.get("executionMode"), ("executionMode",))
    _one_of(document["engineVersion"], engines, ("engineVersion",))
    _artifact(document.get("artifact") or {}, document.get("labels") or {})
    target = document["deploymentTarget"]
    _one_of(target["mode"], ("PER_JOB", "SESSION"), ("deploymentTarget", "mode"))
    if not targets:
        raise Invalid(f"there is no session cluster {target['name'][:80]}", at=("deploymentTarget", "name"))
    _one_of(target["name"], tuple(targets), ("deploymentTarget", "name"))
    resources(document)
    loggers(document.get("logging") or {})
    for field in ("flinkConf", "labels"):
        _scalars(document.get(field) or {}, field)
    secrets.unnamed(document.get("flinkConf") or {}, "flinkConf")
    seating.shares({**document, "runtime": targets[target["name"]]})
    Policy().of(document.get("labels") or {})


def resources(document: Mapping[str, Any]) -> None:
    """Check what a deployment, or the start of one, says of its resources."""
    for field in ("streamingResourceSetting", "batchResourceSetting"):
        basic = (document.get(field) or {}).get("basicResourceSetting") or {}
        if "parallelism" in basic:
            _attribute("parallelism", basic["parallelism"], (field, "basicResourceSetting", "parallelism"))


def own_parallelism(document: Mapping[str, Any]) -> str:
    """Say by what a script or its options decide on parallelism themselves, so that a rescale would miss it.

    The greatest parallelism is a limit and no decision. A keyed shuffle is planned by the parallelism at the start.
    """
    if (document.get("artifact") or {}).get("kind") == "JAR":
        return "the program in its jar"
    script = (document.get("artifact") or {}).get("sqlArtifact", {}).get("sqlScript") or ""
    said = [*_OWN.findall(script), *(key for key in document.get("flinkConf") or {} if _OWN.search(key))]
    return next((word.lower() for word in said if not word.lower().endswith("max-parallelism")), "")


def _artifact(artifact: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
    _one_of(artifact.get("kind"), tuple(_PARTS), ("artifact", "kind"))
    if artifact["kind"] == "JAR":
        _jar(artifact.get("jarArtifact") or {}, labels)
        return
    script = (artifact.get("sqlArtifact") or {}).get("sqlScript")
    if not isinstance(script, str) or not script.strip():
        raise Invalid("expected a script, got nothing", at=("artifact", "sqlArtifact", "sqlScript"))


def _jar(program: Mapping[str, Any], labels: Mapping[str, Any]) -> None:
    at: Path = ("artifact", "jarArtifact")
    fetch.check(program.get("jarUri"), (*at, "jarUri"))
    for index, place in enumerate(program.get("additionalDependencies") or ()):
        fetch.check(place, (*at, "additionalDependencies", index))
    if entry := program.get("entryClass"):
        job.ENTRY.check(entry, (*at, "entryClass"))
    try:
        job.words(str(program.get("mainArgs") or ""))
    except ValueError as error:
        raise Invalid(f"expected words as a shell takes them: {error}", at=(*at, "mainArgs")) from error
    if (pin := labels.get(job.JAR_SHA256)) is not None:
        job.SHA256.check(pin, ("labels", job.JAR_SHA256))


def loggers(logging: Mapping[str, Any]) -> None:
    """Refuse loggers without a name, and levels that there are not."""
    for index, logger in enumerate(logging.get("log4jLoggers") or ()):
        at: Path = ("logging", "log4jLoggers", index)
        if not logger.get("loggerName"):
            raise Invalid("expected a logger's name, got nothing", at=(*at, "loggerName"))
        job.LEVEL.check(logger.get("loggerLevel"), (*at, "loggerLevel"))


def _scalars(values: Mapping[str, Any], field: str) -> None:
    for name, value in values.items():
        if not isinstance(value, str | int | float | bool):
            raise Invalid("expected text, a number, true or false", at=(field, name))


def _attribute(name: str, value: Any, at: Path) -> None:
    """Check *value* as the Terraform attribute of that *name* would be: there is one rule for both."""
    if value is None:
        raise Invalid("is required and missing", at=at)
    job.RESOURCE.attribute(name).type.check(value, at)


def _one_of(value: Any, words: tuple[str, ...], at: Path) -> None:
    if value not in words:
        got = "nothing" if value is None else repr(str(value)[:80])
        raise Invalid(f"expected {' or '.join(words)}, got {got}", at=at)
