"""What a plan of Terraform's means for each job: what it costs, what becomes of its state, how its script changes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import unified_diff
from typing import Any

from flinkform.jobfile import job_path
from flinkform.resources import RESOURCES
from flinkform.resources.job import RESOURCE
from flinkform.schema.model import Change, Resource

SECRET = re.compile(
    r"password|secret|token|api-?key|access[._-]?key|auth-params|service-key|basic-auth|jaas\.config|account\.key",
    re.IGNORECASE,
)
"""Names of options whose values nobody is shown; Flink hides the same ones in its logs."""
_HIDDEN = "(hidden)"
_QUOTED = re.compile(r"('(?:[^']|'')*')(\s*=\s*)'(?:[^']|'')*'")
_JOB = RESOURCE.type_name
_TYPES: Mapping[str, Resource] = {resource.type_name: resource for resource in RESOURCES}
_ACTIONS = {("create",): "create", ("delete",): "delete", ("update",): "update"}
_COSTS = {
    Change.NOTHING: "nothing: it runs on",
    Change.HOT: "hot: it takes it up while it runs",
    Change.RESTART: "restart: stopped with a savepoint, started from it",
    Change.AFRESH: "afresh: started without its state",
    Change.REPLACE: "replace: destroyed and made again",
}
_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Field:
    """A value that differs; both sides as text, '' where there is none."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Operator:
    """What becomes of the state of one operator."""

    fate: str
    name: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One object of a stack that a plan changes.

    *cost* is the word of what a change costs the running thing, *verdict* that on its state, *units* the difference
    in compute units, *refused* why it cannot be planned.
    """

    stack: str
    address: str
    kind: str
    name: str
    action: str
    path: str = ""
    cost: str = ""
    means: str = ""
    verdict: str = ""
    summary: str = ""
    operators: tuple[Operator, ...] = ()
    units: int = 0
    fields: tuple[Field, ...] = ()
    diff: tuple[str, ...] = ()
    refused: str = ""
    was: str = ""
    """The address that it had until now, where it is moved."""
    digest: str = ""
    """A hash of the whole change, so that another plan can be told to be the same."""


@dataclass(frozen=True, slots=True)
class Review:
    """A plan for people: of an environment, at a commit, since another where only what differs was planned."""

    environment: str
    commit: str
    since: str
    stacks: tuple[str, ...]
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    serials: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Lineage and serial of each stack's state when it was planned."""

    @property
    def jobs(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.kind == _JOB)

    @property
    def units(self) -> int:
        return sum(item.units for item in self.items)


def items(stack: str, plan: Mapping[str, Any]) -> Iterator[Item]:
    """Yield what the plan of *stack*, as `terraform show -json` prints it, changes."""
    for one in plan.get("resource_changes", ()):
        change = one["change"]
        actions = tuple(change["actions"])
        if one.get("mode") != "managed" or actions in (("no-op",), ("read",)):
            continue
        action = _ACTIONS.get(actions, "replace")
        before, after = change.get("before") or {}, change.get("after") or {}
        made = Item(stack, one["address"], one["type"], _name(one, before, after), action)
        made = replace(made, was=str(one.get("previous_address") or ""))
        made = replace(made, fields=tuple(_fields(one["type"], change, before, after)), digest=digest(change))
        yield _job(made, before, after) if one["type"] == _JOB else made


def digest(change: Mapping[str, Any]) -> str:
    """Return the hash of a change as Terraform shows it."""
    told = [change.get(name) for name in ("actions", "before", "after", "after_unknown", "replace_paths")]
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def units(values: Mapping[str, Any]) -> int:
    """Return the compute units that a job takes while it runs: one for the job manager, one for each slot."""
    return 0 if not values or values.get("state") == "suspended" else 1 + int(values.get("parallelism") or 1)


def _name(one: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    values = after or before
    name = str(values.get("name") or one["name"])
    return f"{values.get('namespace')}/{name}" if one["type"] == _JOB else name


def _job(made: Item, before: Mapping[str, Any], after: Mapping[str, Any]) -> Item:
    """Return what a plan makes of a job, with what that costs."""
    known = {**before, **{name: value for name, value in after.items() if value is not None or name in before}}
    cost = RESOURCE.cost(before, known) if made.action == "update" else None
    values = after or before
    suffix = ".sql" if values.get("jar") is None else ".jar.yaml"
    return replace(
        made,
        path=f"{values.get('namespace')}/{job_path(str(values.get('name') or ''))}{suffix}",
        cost=cost.name.lower() if cost is not None else made.action,
        means=_means(made.action, cost, before, after),
        verdict=str(after.get("state_verdict") or "") if _carries(cost, before, after) else "",
        units=units(after) - units(before),
        diff=tuple(difference(str(before.get("sql") or ""), str(after.get("sql") or ""))),
    )


def _carries(cost: Change | None, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Say whether a change takes state along, so that there is something to judge."""
    return cost is not None and (cost >= Change.RESTART or before.get("state") != after.get("state"))


def _means(action: str, cost: Change | None, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if action == "create":
        return "starts" if after.get("state") == "running" else "is defined, and does not run"
    if action == "delete":
        return "is stopped with a savepoint and removed" if before.get("state") != "suspended" else "is removed"
    was, wanted = before.get("state"), after.get("state")
    if action == "update" and was != wanted:
        started = {"failed": "is started again", "suspended": "starts"}.get(str(was), "is brought up to date")
        return started if wanted == "running" else "is stopped with a savepoint"
    if cost is not None and cost > Change.NOTHING and wanted == "suspended":
        return "nothing: it does not run"
    return _COSTS[Change.REPLACE if cost is None else cost]


def _fields(
    kind: str, change: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Field]:
    """Yield what an author can set and that differs, maps entry by entry; the script has a diff instead."""
    resource = _TYPES.get(kind)
    names = [a.name for a in resource.attributes if a.writable] if resource else sorted(before.keys() | after.keys())
    hidden = {**_marked(change.get("before_sensitive")), **_marked(change.get("after_sensitive"))}
    unknown = _marked(change.get("after_unknown"))
    for name in names:
        old, new = before.get(name), after.get(name)
        if name == "sql" or unknown.get(name) is True or old == new:
            continue
        yield from _differing(name, old, new, hide=hidden.get(name) is True)


def _differing(name: str, old: Any, new: Any, *, hide: bool) -> Iterator[Field]:
    if isinstance(old, Mapping | None) and isinstance(new, Mapping | None) and (old or new):
        before, after = old or {}, new or {}
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                yield from _differing(f"{name}.{key}", before.get(key), after.get(key), hide=hide)
        return
    hide = hide or bool(SECRET.search(name))
    yield Field(name, *(_HIDDEN if hide and value is not None else _text(value) for value in (old, new)))


def _marked(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def difference(old: str, new: str) -> Iterator[str]:
    """Yield the unified diff of two scripts, without its head; the values of secret options are not in it."""
    if old == new:
        return
    lines: Sequence[Sequence[str]] = [_veiled(text).splitlines() for text in (old, new)]
    rows = list(unified_diff(lines[0], lines[1], lineterm="", n=_CONTEXT))[2:]
    if not rows:
        rows = ["@@ line ends, the end of the file or a hidden value @@"]
    yield from rows


def _veiled(text: str) -> str:
    """Return a script in which `'…password' = '…'` tells no password."""

    def veil(found: re.Match[str]) -> str:
        return f"{found[1]}{found[2]}'{_HIDDEN}'" if SECRET.search(found[1]) else found[0]

    return _QUOTED.sub(veil, text)
