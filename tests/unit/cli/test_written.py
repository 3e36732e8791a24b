"""What a control plane says of a line of a script is told at the file that its author wrote it in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flinkform.cli import written
from flinkform.cli.project import Project
from flinkform.cli.stacks import Stack
from flinkform.errors import FlinkformError
from flinkform.release.review import Item
from tests.unit.release.conftest import Site

SAID = "the script is refused: line\n3, column 8: Column 'x' not found"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "site", tmp_path / "home")


@pytest.fixture
def here(site: Site, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A checkout whose only job includes two lines."""
    site.commit(
        {
            "jobs/shop/a.sql": "-- flinkform: include t.inc\nSELECT ${x}",
            "jobs/shop/a.yaml": "variables: {x: y}\n",
            "jobs/shop/t.inc": "one\ntwo\n",
            "environments/dev.yaml": "",
        }
    )
    monkeypatch.chdir(site.root)
    return Project(site.root, site.root / ".home", {**site.shell, "FLINKFORM_ENVIRONMENT": "dev"})


def test_a_failure_of_terraform(here: Project, tmp_path: Path) -> None:
    """A part about a script has its place, the others are what they were."""
    rows = {"a_1": {"name": "a", "sql": "", "//": {"metadata": {"path": "shop/jobs/shop/a"}}}, "jar": {"name": "j"}}
    (tmp_path / "cdk.tf.json").write_text(json.dumps({"resource": {"flink_job": rows}}))
    parts = [
        FlinkformError(SAID, at=("shop", "flink_job.a_1", "sql")),
        FlinkformError(SAID, at=("shop", "flink_job.jar")),
        FlinkformError(SAID, at=("gone", "flink_job.a_1")),
        FlinkformError("no slots", at=("shop", "flink_job.a_1")),
        FlinkformError(SAID),
    ]
    stacks = (Stack("shop", tmp_path, ()),)
    found = written.placed(here, stacks, FlinkformError("failed", advice="mend it", parts=parts))
    assert [str(one.position) for one in found.parts] == ["jobs/shop/a.sql:2:8", *["None"] * 4]
    assert str(found) == "failed\nflink_job.a_1 is written at jobs/shop/a.sql:2:8\nmend it"
    other = FlinkformError("failed", parts=parts[1:])
    assert written.placed(here, stacks, other) is other


def test_what_a_plan_refuses(here: Project, site: Site) -> None:
    """In the checkout, and in a commit that has it otherwise."""
    item = Item("shop", "flink_job.a", "flink_job", "shop/a", "refused", path="shop/a.sql", refused=SAID)
    first = site.repository.resolve("HEAD")
    site.commit({"jobs/shop/t.inc": "one\n\n\n", "jobs/shop/b.sql": "SELECT 1"})
    assert written.located(here, item, first).refused.endswith("\nwritten at jobs/shop/a.sql:2:8")
    assert written.located(here, item, "").refused.endswith("\nwritten at jobs/shop/t.inc:3:1")
    gone = Item("shop", "flink_job.c", "flink_job", "shop/c", "refused", path="shop/c.sql", refused=SAID)
    assert written.located(here, gone, "") is gone
