"""What goes first in a release, and what has to go with it."""

from __future__ import annotations

from flinkform.cli.waves import chosen
from flinkform.release.document import Release
from flinkform.release.gate import Rules


def item(stack: str, name: str, was: str = "") -> dict[str, str]:
    return {
        "stack": stack,
        "address": f"flink_job.{name}",
        "name": f"{stack}/{name}",
        "path": f"{stack}/{name}.sql",
        "was": was,
    }


def test_jobs_that_move_go_with_the_canaries_of_their_stack() -> None:
    """Under both addresses: Terraform plans a part of a stack only together with every move in it."""
    items = (
        item("a", "first"),
        item("a", "moved", "flink_job.before"),
        item("a", "last"),
        item("b", "away", "flink_job.x"),
    )
    release = Release("c", "dev", "", "", "", "", "", (), items)
    first, rest = chosen(release, Rules(canary=("a/first",)))
    assert first == ({"a": {"flink_job.first", "flink_job.moved", "flink_job.before"}}, {"a/first", "a/moved"})
    assert rest == ({}, {"a/last", "b/away"})
