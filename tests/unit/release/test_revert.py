"""Going back is a commit: its job files are those of then, and nothing else is another one."""

from __future__ import annotations

import pytest

from flinkform.errors import Conflict, Invalid, NotFound
from flinkform.release.revert import advance, clean, revert
from tests.unit.release.conftest import SQL, Site

START = {"jobs/a/x.sql": SQL, "jobs/a/x.yaml": "parallelism: 2\n", "jobs/b/y.sql": SQL, "main.py": "1"}


@pytest.fixture
def then(site: Site) -> str:
    """A commit, after which much was changed."""
    first = site.commit(START)
    site.commit({"jobs/a/x.sql": SQL * 2, "jobs/a/x.yaml": None, "jobs/b/y.sql": SQL * 2, "jobs/b/new.sql": SQL})
    site.commit({"main.py": "2", "jobs/_defaults.yaml": "parallelism: 9\n"})
    return first


def changed(site: Site, commit: str) -> dict[str, bool]:
    """The paths that a commit changed, and whether they are there."""
    return {one.path: one.new is not None for one in site.repository.diff(site.repository.resolve("HEAD"), commit)}


def test_all_job_files_are_as_they_were(site: Site, then: str) -> None:
    """What came since goes, what went comes back, code stays; no branch has it yet."""
    made = revert(site.repository, then)
    paths = {"jobs/a/x.sql": True, "jobs/a/x.yaml": True, "jobs/b/y.sql": True}
    assert changed(site, made) == {**paths, "jobs/b/new.sql": False, "jobs/_defaults.yaml": False}
    assert not site.repository.diff(then, made)[:-1]
    assert site.repository.commit(made).subject == f"Roll back all jobs to {then[:12]}"
    assert site.repository.uncommitted() == ()


@pytest.mark.parametrize("name", ["a/x", "a/x.sql", "jobs/a/x.sql"])
def test_one_job_goes_back_alone(site: Site, then: str, name: str) -> None:
    """With its sidecar, and with nothing that it shares."""
    assert changed(site, revert(site.repository, then, jobs=[name])) == {"jobs/a/x.sql": True, "jobs/a/x.yaml": True}


def test_the_branch_and_its_files_follow(site: Site, then: str) -> None:
    """Where the checkout is clean; where it is not, nothing is done."""
    made = revert(site.repository, then)
    (site.root / "edit.sql").write_text("x")
    with pytest.raises(Conflict, match=r"edit.sql is not committed"):
        clean(site.repository)
    (site.root / "edit.sql").unlink()
    clean(site.repository)
    advance(site.repository, made)
    assert site.git("symbolic-ref", "HEAD").decode().strip() == "refs/heads/main"
    assert site.repository.resolve("main") == made
    assert (site.root / "jobs/a/x.sql").read_text() == SQL
    assert not (site.root / "jobs/b/new.sql").exists()
    with pytest.raises(Conflict, match="already"):
        revert(site.repository, then)


def test_what_cannot_be_gone_back_to_is_said(site: Site, then: str) -> None:
    """A commit of another history, a job that never was."""
    site.git("checkout", "-q", "--orphan", "other")
    other = site.commit({})
    site.git("checkout", "-q", "main")
    with pytest.raises(Invalid, match="is not in the history of HEAD"):
        revert(site.repository, other)
    with pytest.raises(NotFound, match=r"neither commit has jobs/a/gone.sql"):
        revert(site.repository, then, jobs=["a/gone"])


def test_names_of_any_kind_go_back(site: Site) -> None:
    """In a folder of a repository too."""
    name = "jobs/a/new\nline \"'ключ.sql"
    then = site.commit({name: SQL})
    site.commit({name: SQL * 2})
    assert changed(site, revert(site.repository, then)) == {name: True}


def test_a_job_that_was_renamed_is_moved_back(site: Site) -> None:
    """Its file says so, whether the commit that renamed it did or Git alone can tell."""
    first = site.commit({"jobs/a/x.sql": SQL, "jobs/a/y.sql": f"{SQL}-- y", "jobs/a/y.yaml": "parallelism: 2\n"})
    site.git("mv", "jobs/a/x.sql", "jobs/a/new.sql")
    site.git("mv", "jobs/a/y.sql", "jobs/a/deep.sql")
    edited = {"jobs/a/y.yaml": None, "jobs/a/deep.yaml": "moved_from: a/y.sql\n", "jobs/a/deep.sql": "SELECT 1"}
    site.commit(edited)
    made = revert(site.repository, first)
    advance(site.repository, made)
    assert (site.root / "jobs/a/x.yaml").read_text() == 'moved_from: ["a/new.sql"]\n'
    assert (site.root / "jobs/a/y.yaml").read_text() == 'parallelism: 2\nmoved_from: ["a/deep.sql"]\n'
    assert sorted(path.name for path in (site.root / "jobs/a").iterdir()) == ["x.sql", "x.yaml", "y.sql", "y.yaml"]
