"""What a plan of Terraform's is told as: for each job its cost, its state, its script."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from flinkform.release import report
from flinkform.release.report import markdown, text
from flinkform.release.review import Item, Operator, Review, difference, items, units

SCHEMA = Path(__file__).parents[3] / "provider-schema" / "plan.schema.json"
SQL = """CREATE TABLE t (x INT) WITH ('connector' = 'x', 'password' = 'hunter2');
INSERT INTO s SELECT x FROM t;
"""
JOB = {
    "workspace": "w",
    "namespace": "shop",
    "name": "daily.orders",
    "sql": SQL,
    "state": "running",
    "parallelism": 2,
    "flink_options": {"a": "1", "fs.s3a.secret.key": "hunter2"},
    "labels": None,
    "execution_mode": "STREAMING",
}


def row(actions: list[str], before: dict[str, Any] | None, after: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    change = {"actions": actions, "before": before, "after": after, "after_unknown": {}, **more}
    return {"address": "flink_job.x", "type": "flink_job", "mode": "managed", "name": "x", "change": change}


def only(*rows: dict[str, Any]) -> Item:
    (item,) = items("shop", {"resource_changes": list(rows)})
    return item


def review(*found: Item) -> Review:
    return Review("dev", "c" * 40, "s" * 40, ("shop",), found, ("one file not committed",))


def test_what_stays_is_no_item() -> None:
    """Neither are data that are read."""
    assert not list(items("shop", {"resource_changes": [row(["no-op"], JOB, JOB), row(["read"], None, JOB)]}))


@pytest.mark.parametrize(
    ("edit", "cost", "means"),
    [
        ({"labels": {"a": "b"}}, "nothing", "nothing: it runs on"),
        ({"parallelism": 4}, "hot", "hot: it takes it up while it runs"),
        ({"sql": SQL + "--"}, "restart", "restart: stopped with a savepoint, started from it"),
        ({"flink_options": {"pipeline.max-parallelism": "9"}}, "afresh", "afresh: started without its state"),
        ({"state": "suspended", "sql": SQL + "--"}, "restart", "is stopped with a savepoint"),
    ],
)
def test_an_update_says_what_it_costs(edit: dict[str, Any], cost: str, means: str) -> None:
    """The dearest of what differs, in words."""
    found = only(row(["update"], JOB, {**JOB, **edit}))
    assert (found.action, found.cost, found.means, found.path) == ("update", cost, means, "shop/daily/orders.sql")


def test_a_job_that_does_not_run_costs_nothing() -> None:
    """However dear the edit would be of one that does."""
    still = {**JOB, "state": "suspended"}
    assert only(row(["update"], still, {**still, "sql": "x"})).means == "nothing: it does not run"
    assert only(row(["update"], {**JOB, "state": "failed"}, JOB)).means == "is started again"


def test_the_verdict_is_that_of_the_plan() -> None:
    """Where state is carried over; an old word on a change that carries none is not repeated."""
    judged = {**JOB, "state_verdict": "partly"}
    assert only(row(["update"], JOB, {**judged, "sql": "x"})).verdict == "partly"
    assert only(row(["update"], judged, {**judged, "labels": {"a": "b"}})).verdict == ""


def test_values_differ_entry_by_entry_and_secrets_do_not_show() -> None:
    """Neither those that Terraform marks, nor options that are called so, nor in the script."""
    after = {**JOB, "flink_options": {"a": "2", "fs.s3a.secret.key": "other"}, "sql": SQL.replace("hunter2", "other")}
    found = only(row(["update"], JOB, after))
    told = {field.name: (field.before, field.after) for field in found.fields}
    assert told == {
        "flink_options.a": ("1", "2"),
        "flink_options.fs.s3a.secret.key": ("(hidden)", "(hidden)"),
    }
    shown = json.dumps(report.document(review(found))) + text(review(found)) + markdown(review(found))
    assert "hunter2" not in shown
    assert "other" not in shown
    assert found.diff


def test_scripts_differ_as_a_unified_diff() -> None:
    """With what is around; the same text has none, and what cannot be seen is said."""
    assert list(difference("a\nb\nc\n", "a\nB\nc\n")) == ["@@ -1,3 +1,3 @@", " a", "-b", "+B", " c"]
    assert list(difference("a\n", "a\n")) == []
    assert list(difference("a\r\n", "a\n")) == ["@@ line ends, the end of the file or a hidden value @@"]


def test_units_are_those_of_a_job_that_runs() -> None:
    """One for the job manager, one for each slot."""
    assert units(JOB) == 3
    assert units({**JOB, "state": "suspended"}) == units({}) == 0
    assert only(row(["create"], None, JOB)).units == 3
    assert only(row(["delete"], JOB, None)).units == -3


def test_other_types_are_told_by_their_values() -> None:
    """A namespace has no cost of a job's."""
    change = {"actions": ["update"], "before": {"name": "a", "cpu": 1}, "after": {"name": "a", "cpu": 2}}
    space = {"address": "flink_namespace.n", "type": "flink_namespace", "mode": "managed", "name": "n"}
    found = only({**space, "change": change})
    assert (found.name, [field.name for field in found.fields], found.cost) == ("a", ["cpu"], "")


def test_json_is_as_its_schema_says() -> None:
    """Of every kind of item."""
    found = only(row(["update"], JOB, {**JOB, "sql": "x", "state_verdict": "partly"}))
    refused = Item("shop", "flink_job.y", "flink_job", "y", "refused", refused="no\nway")
    said = report.document(review(found, refused, only(row(["delete", "create"], JOB, JOB))))
    for one in (said, report.document(Review("dev", "", "", (), ()))):
        jsonschema.Draft202012Validator(report.schema()).validate(json.loads(json.dumps(one)))


def test_the_schema_is_checked_in() -> None:
    """`make generate` wrote it."""
    assert SCHEMA.read_text() == report.schema_text()


def test_a_terminal_gets_everything_in_order() -> None:
    """Cost, state and operators, units, values, script, and a line that sums up."""
    found = Item(
        "shop",
        "flink_job.x",
        "flink_job",
        "shop/x",
        "update",
        means="restart",
        verdict="partly",
        summary="1 of 2 operators drop their state",
        operators=(Operator("dropped", "join: a", "its keys are others"),),
        units=2,
        diff=("@@ -1 +1 @@", "-a", "+b"),
    )
    assert text(review(found)).splitlines() == [
        "~ shop/x: restart",
        "    state: partly, 1 of 2 operators drop their state",
        "      dropped  join: a; its keys are others",
        "    compute units: +2",
        "    @@ -1 +1 @@",
        "    -a",
        "    +b",
        "",
        f"dev at {'c' * 12} since {'s' * 12}: 1 to change in 1 stack; +2 compute units",
        "note: one file not committed",
    ]


def test_markdown_stays_within_the_limit_with_whole_jobs() -> None:
    """Whatever their number and size; how many are left out is said."""
    many = [
        Item("shop", f"flink_job.{n}", "flink_job", f"shop/{n}", "update", diff=("@@", *("+" + "ü" * n,) * n))
        for n in range(300)
    ]
    said = markdown(review(*many))
    assert len(said.encode()) <= report.MARKDOWN_LIMIT
    assert said.count("<details>") == said.count("</details>")
    assert said.count("```diff") * 2 == said.count("```")
    assert "and 100 more" in said
    assert f"details of {299 + 1 - said.count('<details>')} more" in said


def test_markdown_takes_names_and_scripts_for_text() -> None:
    """No cell, tag, fence or mention comes out of them."""
    evil = Item(
        "shop",
        "flink_job.x",
        "flink_job",
        "shop/a|b`<img src=x>@team",
        "update",
        means="x | y",
        diff=("@@", "+````", "+</details>", "+```"),
    )
    said = markdown(review(evil))
    assert "<img" not in said
    assert "@team" not in said
    assert "`````diff\n" in said
    assert len(re.split(r"(?<!\\)\|", said.splitlines()[5])) == 7
