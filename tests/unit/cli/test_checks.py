"""What a check since a commit looks at, and what it says of files that were renamed."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform import jobfile
from flinkform.cli import checks
from flinkform.cli.project import Project
from tests.unit.release.conftest import SQL, Site


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A commit called `then`, with two jobs that share a topic by an include."""
    made = Site(tmp_path / "site", tmp_path / "home")
    topic = "CREATE TABLE t (x INT) WITH ('connector' = 'kafka', 'topic' = 'orders');\n"
    files = {f"jobs/shop/{name}.sql": f"-- flinkform: include t.inc\n-- {name}\n" for name in ("a", "b")}
    made.commit({**files, "jobs/shop/t.inc": topic, "jobs/shop/c.sql": SQL, "environments/dev.yaml": ""})
    made.git("tag", "then")
    monkeypatch.chdir(made.root)
    return made


def looked(site: Site) -> tuple[checks.Scope, list[str]]:
    here = Project(site.root, site.root / ".home", {**site.shell, "FLINKFORM_ENVIRONMENT": "dev"})
    found = checks.since(here, "then", jobfile.load(Path("jobs")))
    return found, list(checks.unsaid(here, found))


def test_a_renamed_file_is_asked_to_say_so(site: Site) -> None:
    """With the line to add; one that says so is left alone, and so is one that went to another team."""
    site.git("mv", "jobs/shop/c.sql", "jobs/shop/d.sql")
    site.commit({})
    (told,) = looked(site)[1]
    assert told.startswith("jobs/shop/d.sql was jobs/shop/c.sql: write `moved_from: shop/c.sql` into jobs/shop/d.yaml,")
    site.commit({"jobs/shop/d.yaml": "moved_from: shop/c.sql\n"})
    assert looked(site)[1] == []
    site.commit({"jobs/shop/d.yaml": None})
    (site.root / "jobs/web").mkdir()
    site.git("mv", "jobs/shop/d.sql", "jobs/web/c.sql")
    site.commit({})
    assert looked(site)[1] == []


def test_a_place_in_an_include_is_shared(site: Site) -> None:
    """Who shares a topic with a job that is gone is looked at, by includes too; an edit of one is everybody's."""
    site.commit({"jobs/shop/c.sql": f"{SQL}-- edit"})
    assert [job.path for job in looked(site)[0].chosen] == ["shop/c.sql"]
    assert looked(site)[0].related == ()
    site.commit({"jobs/shop/a.sql": None})
    assert [job.path for job in looked(site)[0].related] == ["shop/b.sql"]
    (site.root / "jobs/shop/t.inc").write_text("SELECT 1;")
    assert [job.path for job in looked(site)[0].chosen] == ["shop/b.sql", "shop/c.sql"]
