"""Plans as values: what changes, and what a test says of it."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.testing import Plan, assert_plan, assert_plan_empty


def row(address: str, *actions: str, **more: Any) -> dict[str, Any]:
    """One change, as `terraform show -json` prints it."""
    values = {"before": {"sql": "a", "name": "n"}, "after": {"sql": "b", "name": "n"}}
    change = {"actions": list(actions), **values, **more.pop("change", {})}
    return {"address": address, "change": change, **more}


def plan(*rows: dict[str, Any]) -> Plan:
    return Plan.of("bids", {"resource_changes": list(rows)})


def test_actions() -> None:
    """Each of Terraform's actions has one word; what stays and what is read is no change."""
    found = plan(
        row("a", "create", change={"before": None}),
        row("b", "update"),
        row("c", "delete", change={"after": None}),
        row("d", "delete", "create"),
        row("e", "create", "delete"),
        row("f", "no-op"),
        row("g", "read"),
        row("h", "no-op", change={"importing": {"id": "x"}}),
        row("i", "no-op", previous_address="j"),
        row("k", "forget"),
    )
    assert {change.address: change.action for change in found.changes} == {
        "a": "create",
        "b": "update",
        "c": "delete",
        "d": "replace",
        "e": "replace",
        "h": "import",
        "i": "move",
        "k": "forget",
    }


def test_attributes_that_differ() -> None:
    """An update names what it changes."""
    (change,) = plan(row("flink_job.x", "update")).changes
    assert change.attributes == {"sql"}
    assert str(change) == "bids/flink_job.x: update (sql)"


def test_an_empty_plan() -> None:
    """What is expected to be empty and is not is told whole."""
    assert_plan_empty(plan(row("a", "no-op")))
    with pytest.raises(AssertionError, match=r"expected an empty plan, got\nbids/a: create\nbids/b: delete"):
        assert_plan_empty(plan(row("a", "create"), row("b", "delete")))


def test_an_expected_plan() -> None:
    """Globs over addresses, with or without the stack; anything else in it, or less, fails."""
    found = plan(row("flink_job.hourly", "update")) + Plan.of(
        "fraud", {"resource_changes": [row("flink_job.x", "create")]}
    )
    assert_plan(found, {"bids/flink_job.*": "update", "fraud/*": "create"})
    assert_plan(found, {"flink_job.hourly": "update", "flink_job.x": "create"})
    with pytest.raises(AssertionError, match=r"not expected: fraud/flink_job\.x: create"):
        assert_plan(found, {"*hourly": "update"})
    with pytest.raises(AssertionError, match=r"not expected: bids/flink_job\.hourly: update"):
        assert_plan(found, {"*hourly": "replace", "*.x": "create"})
    with pytest.raises(AssertionError, match="not there: daily"):
        assert_plan(found, {"*hourly": "update", "*.x": "create", "daily": "delete"})
