"""What a key may do and where: policies as RAM writes them, and the roles of members. A deny wins over every allow.

A policy is `{"Version": "1", "Statement": [{"Effect", "Action", "Resource"}]}`. Actions are `stream:OPERATION`, or
what RAM calls the console's (`stream:CreateVvpInstance`); resources are
`acs:stream:REGION:ACCOUNT:vvpinstance/WORKSPACE/vvpnamespace/NAMESPACE`. `*` and `?` stand for anything in both. The
account is not looked at: a control plane has one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from flinkform.errors import Invalid
from flinkform.openapi.operation import Operation

LIMIT = 64 * 1024
"""Bytes of a policy file that are read at most."""

_KNOWN = {"Effect", "Action", "Resource"}
_VVP = re.compile(r"^(\w+?)(Instances?|Namespaces?|Resources)(.*)$")
_RENAMED = {
    "ConvertPrepayInstance": "ConvertVvpInstance",
    "ListTagResources": "QueryTagVvpResources",
    "UntagResources": "UnTagVvpResources",
    "ModifyNamespaceSpecV2": "ModifyVvpNamespaceSpec",
}
"""What RAM calls differently than by putting Vvp before the noun."""


class Verdict(Enum):
    """What policies say of an action."""

    ALLOWED = "Allowed"
    DENIED = "ExplicitDeny"
    UNSAID = "ImplicitDeny"


class Role(StrEnum):
    """What a member of a namespace is in it; each may do what those before it may."""

    VIEWER = "VIEWER"
    EDITOR = "EDITOR"
    ADMIN = "ADMIN"

    def covers(self, operation: Operation) -> bool:
        """Say whether the role is enough for an operation below its namespace."""
        if operation.rpc or "namespace" not in operation.fields:
            return False
        if self is Role.VIEWER:
            return operation.reads
        return operation.reads or self is not Role.EDITOR or "Member" not in operation.name


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of a policy."""

    deny: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def fits(self, actions: Iterable[str], places: Iterable[str]) -> bool:
        """Say whether it is about one of these names of an action, at one of these names of a place."""
        return any(_like(one, actions, re.IGNORECASE) for one in self.actions) and any(
            _like(_accountless(one), places) for one in self.resources
        )


Policies = Sequence[Statement]


def judge(policies: Policies, actions: Sequence[str], places: Iterable[Sequence[str]]) -> Verdict:
    """Return what policies say of an action at all of some places, of each of which the names are given."""
    found = Verdict.ALLOWED
    for names in places:
        said = {one.deny for one in policies if one.fits(actions, names)}
        if True in said:
            return Verdict.DENIED
        if not said:
            found = Verdict.UNSAID
    return found


def actions(operation: Operation) -> tuple[str, ...]:
    """Return the names of an operation's action; the first is told to people."""
    named = f"stream:{operation.name}"
    if not operation.rpc:
        return (named,)
    said = _RENAMED.get(operation.name) or _VVP.sub(r"\1Vvp\2\3", operation.name)
    return (named, f"stream:{said}")


def place(region: str, workspace: str = "*", namespace: str = "") -> str:
    """Return the name of a workspace or of a namespace in it."""
    return f"acs:stream:{region}:*:vvpinstance/{workspace}" + (f"/vvpnamespace/{namespace}" if namespace else "")


def load(path: Path) -> list[dict[str, Any]]:
    """Return the statements of a policy file (JSON or YAML) as they are kept. Invalid: it is none."""
    try:
        with path.open("rb") as file:
            text = file.read(LIMIT + 1)
        document = yaml.safe_load(text)
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Invalid(f"{path} is neither JSON nor YAML") from error
    if len(text) > LIMIT:
        raise Invalid(f"{path}: expected at most {LIMIT} bytes")
    try:
        read(document)
    except Invalid as error:
        raise Invalid(f"{path}: {error.message}", at=error.at, advice=error.advice) from error
    return _statements(document)


def read(document: Any) -> tuple[Statement, ...]:
    """Return the sentences of a policy; Invalid, saying where, for what is not understood: nothing is guessed."""
    if not isinstance(document, Mapping) or set(document) != {"Version", "Statement"}:
        raise Invalid("expected an object with Version and Statement, and nothing else")
    if str(document["Version"]) != "1":
        raise Invalid("Version: expected 1", at=("Version",))
    return tuple(_statement(one, index) for index, one in enumerate(_statements(document)))


def _statements(document: Mapping[str, Any]) -> list[Any]:
    found = document["Statement"]
    return found if isinstance(found, list) else [found]


def _statement(one: Any, index: int) -> Statement:
    where = f"Statement[{index}]"
    if not isinstance(one, Mapping):
        raise Invalid(f"{where}: expected an object", at=("Statement", index))
    if unknown := sorted(map(str, set(one) - _KNOWN)):
        advice = "only Effect, Action and Resource are understood here"
        raise Invalid(f"{where}.{unknown[0]}: is not understood", at=("Statement", index), advice=advice)
    if one.get("Effect") not in ("Allow", "Deny"):
        raise Invalid(f"{where}.Effect: expected Allow or Deny", at=("Statement", index, "Effect"))
    named = {field: _texts(one.get(field), where, field) for field in ("Action", "Resource")}
    for action in named["Action"]:
        if action != "*" and not re.fullmatch(r"(stream|flinkform):[\w*?]+", action, re.ASCII):
            raise Invalid(f"{where}.Action: expected * or an action such as stream:StartJob, got {action[:80]!r}")
    for resource in named["Resource"]:
        if resource != "*" and not re.fullmatch(r"acs:[\w*?-]+:[\w*?-]*:[\w*?-]*:\S+", resource, re.ASCII):
            advice = "write acs:stream:*:*:vvpinstance/WORKSPACE/vvpnamespace/NAMESPACE"
            raise Invalid(f"{where}.Resource: expected * or a resource's name, got {resource[:80]!r}", advice=advice)
    return Statement(one["Effect"] == "Deny", named["Action"], named["Resource"])


def _texts(value: Any, where: str, field: str) -> tuple[str, ...]:
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not found or not all(isinstance(one, str) and one for one in found):
        raise Invalid(f"{where}.{field}: expected a text or a list of them")
    return tuple(found)


def _accountless(resource: str) -> str:
    parts = resource.split(":", 4)
    return resource if len(parts) < 5 else ":".join((*parts[:3], "*", parts[4]))


def _like(pattern: str, names: Iterable[str], flags: re.RegexFlag = re.NOFLAG) -> bool:
    return any(_compiled(pattern, flags).fullmatch(name) for name in names)


@lru_cache(4096)
def _compiled(pattern: str, flags: re.RegexFlag) -> re.Pattern[str]:
    words = {"*": ".*", "?": "."}
    return re.compile("".join(words.get(sign) or re.escape(sign) for sign in pattern), flags | re.DOTALL)
