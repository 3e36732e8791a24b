"""A plan that removes a job and makes it anew under another name is refused, with the line that is missing."""

from __future__ import annotations

from typing import Any

from flinkform.release import renames

SQL = "".join(f"line {n}\n" for n in range(8))


def row(name: str, action: str, **values: Any) -> dict[str, Any]:
    found = {"namespace": "shop", "name": name, "sql": SQL} | values
    before, after = (found, None) if action == "delete" else (None, found)
    change = {"actions": [action], "before": before, "after": after}
    return {"address": f"flink_job.{name}", "type": "flink_job", "mode": "managed", "change": change}


def test_the_same_script_under_another_name_is_refused() -> None:
    """With what to write into which file, and what to do if it is another job."""
    found = renames.refused([row("old", "delete"), row("a.new", "create"), row("b", "create", sql="x")])
    assert found == {
        "flink_job.a.new": "jobs/shop/a/new.sql is what jobs/shop/old.sql was, which would be stopped and removed with "
        "its state\nif it was renamed, write `moved_from: shop/old.sql` into jobs/shop/a/new.yaml\nif it is another "
        "job, remove the old one in an apply of its own, and add this one after it"
    }


def test_one_job_that_goes_is_one_that_came() -> None:
    """Of two that come with its script one is another job."""
    assert len(renames.refused([row("old", "delete"), row("x", "create"), row("y", "create")])) == 1


def test_jobs_elsewhere_and_other_programs_are_others() -> None:
    """Another namespace, another script, another jar; a jar of the same content is the same."""
    assert not renames.refused([row("old", "delete"), row("x", "create", namespace="web")])
    jars = [{"sql": None, "jar": {"source": name, "sha256": name[0] * 64}} for name in ("a.jar", "also.jar", "b.jar")]
    assert not renames.refused([row("old", "delete", **jars[0]), row("x", "create", **jars[2])])
    (told,) = renames.refused([row("old", "delete", **jars[0]), row("x", "create", **jars[1])]).values()
    assert "write `moved_from: shop/old.jar.yaml` into jobs/shop/x.jar.yaml" in told


def test_a_script_that_is_much_like_one_that_goes_is_told() -> None:
    """A file that was renamed and edited; nothing is said of one that has little in common."""
    rows = [row("old", "delete"), row("new", "create", sql=SQL + "more\n"), row("far", "create", sql="line 1\nx\ny\n")]
    (told,) = renames.notes(rows)
    assert told.startswith("jobs/shop/new.sql is much like jobs/shop/old.sql, which is removed: if it was renamed, ")
    assert told.endswith("write `moved_from: shop/old.sql` into jobs/shop/new.yaml")
    assert not renames.refused(rows)
    assert not list(renames.notes([row("old", "delete"), row("same", "create")]))


def test_a_job_that_went_to_another_namespace_is_told() -> None:
    """It cannot be moved there, so the note says what keeps its state."""
    (told,) = renames.notes([row("old", "delete"), row("old", "create", namespace="web")])
    assert told.startswith("jobs/web/old.sql is much like jobs/shop/old.sql, which is removed: if it was renamed, it ")
    assert "restore_from" in told
