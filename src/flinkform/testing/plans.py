"""A plan as a value, and what a test says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

_ACTIONS = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
}


@dataclass(frozen=True, slots=True)
class Change:
    """What a plan does to one resource: *action* is create, update, replace, delete, import, move or forget.

    *before* and *after* are its values; what is known after the apply only is not in *after*.
    """

    stack: str
    address: str
    action: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    @property
    def attributes(self) -> frozenset[str]:
        """The attributes that differ, those whose new value is not known yet left out."""
        names = self.after.keys()
        return frozenset(name for name in names if self.before.get(name) != self.after.get(name))

    def __str__(self) -> str:
        told = f" ({', '.join(sorted(self.attributes))})" if self.action == "update" else ""
        return f"{self.stack}/{self.address}: {self.action}{told}"


@dataclass(frozen=True, slots=True)
class Plan:
    """Every change of one or more stacks."""

    changes: tuple[Change, ...]

    @classmethod
    def of(cls, stack: str, shown: Mapping[str, Any]) -> Plan:
        """Return what `terraform show -json PLAN` prints as a plan."""
        return cls(tuple(_changes(stack, shown)))

    def __add__(self, other: Plan) -> Plan:
        return Plan(self.changes + other.changes)

    def __str__(self) -> str:
        return "\n".join(map(str, self.changes)) or "nothing"


def assert_plan_empty(plan: Plan) -> None:
    """Fail with every change where there is one."""
    if plan.changes:
        raise AssertionError(f"expected an empty plan, got\n{plan}")


def assert_plan(plan: Plan, expected: Mapping[str, str]) -> None:
    """Fail unless each change is *expected* and each expectation is met.

    Keys are globs over `stack/address` or `address`, values the action: `{"bids/flink_job.*hourly*": "update"}`.
    """
    surprising = [change for change in plan.changes if _wanted(change, expected) != change.action]
    missing = [glob for glob in expected if not any(_fits(change, glob) for change in plan.changes)]
    told = [f"not expected: {change}" for change in surprising] + [f"not there: {glob}" for glob in missing]
    if told:
        raise AssertionError("\n".join(["the plan is another one than expected", *told]))


def _wanted(change: Change, expected: Mapping[str, str]) -> str | None:
    return next((action for glob, action in expected.items() if _fits(change, glob)), None)


def _fits(change: Change, glob: str) -> bool:
    return fnmatchcase(change.address, glob) or fnmatchcase(f"{change.stack}/{change.address}", glob)


def _changes(stack: str, shown: Mapping[str, Any]) -> Iterator[Change]:
    for row in shown.get("resource_changes", ()):
        change = row["change"]
        action = _ACTIONS.get(tuple(change["actions"])) or _quiet(row)
        if action:
            yield Change(stack, row["address"], action, change.get("before") or {}, change.get("after") or {})


def _quiet(row: Mapping[str, Any]) -> str:
    """What happens to a resource whose values stay: it may be imported or called otherwise; reads are nothing."""
    if row["change"].get("importing"):
        return "import"
    return "move" if row.get("previous_address") else ""
