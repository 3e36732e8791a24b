"""A change selects the jobs that depend on it and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform import jobfile
from flinkform.release.document import artefact
from flinkform.release.extract import extract
from flinkform.release.select import How, Selection, composing, select
from tests import monorepo
from tests.unit.release.conftest import SQL, Site

START = {
    "main.py": "print()\n",
    "jobs/_defaults.yaml": "parallelism: 2\n",
    "jobs/a/x.sql": SQL + "-- x",
    "jobs/a/x.yaml": "parallelism: 4\n",
    "jobs/a/deep/y.sql": SQL + "-- y",
    "jobs/b/z.sql": SQL + "-- z",
    "environments/dev.yaml": "namespaces:\n  a: {cpu: 2}\n",
    "environments/prod.yaml": "jobs:\n  - match: [a/**]\n    labels: {tier: gold}\n",
}


def chosen(site: Site, old: str, new: str, environment: str = "dev") -> dict[str, str]:
    return {one.path: one.how for one in selected(site, old, new, environment).jobs}


def selected(site: Site, old: str, new: str, environment: str = "dev") -> Selection:
    return select(site.repository, old, new, environment=environment)


def test_nothing_selects_nothing(site: Site) -> None:
    """Neither the same commit, nor one that is empty, nor prose."""
    first = site.commit(START)
    second = site.commit({"README.md": "x", "CODEOWNERS": "* @x", "docs/a.yaml": "a: b", ".github/x.yaml": ""})
    assert selected(site, first, first).jobs == selected(site, first, second).jobs == ()
    assert not selected(site, first, second).code


def test_own_files_select_their_job(site: Site) -> None:
    """Its script, its sidecar, its mode; a sidecar of nobody stands for itself."""
    first = site.commit(START)
    second = site.commit({"jobs/a/x.yaml": "parallelism: 5\n", "jobs/b/z.sql": SQL, "jobs/b/alone.yaml": "from: x"})
    assert chosen(site, first, second) == {"a/x.sql": "modified", "b/z.sql": "modified", "b/alone.yaml": "added"}
    (site.root / "jobs/b/z.sql").chmod(0o755)
    third = site.commit({"jobs/a/x.sql": None})
    assert chosen(site, second, third) == {"a/x.sql": "deleted", "a/x.yaml": "modified", "b/z.sql": "modified"}


def test_a_job_that_moved_is_one_job(site: Site) -> None:
    """With the path it had, and both teams are concerned."""
    first = site.commit(START)
    site.git("mv", "jobs/b/z.sql", "jobs/a/w.sql")
    found = selected(site, first, site.commit({}))
    assert [(one.path, one.before, one.how) for one in found.jobs] == [("a/w.sql", "b/z.sql", How.RENAMED)]
    assert found.teams == {"a", "b"}


def test_defaults_select_only_whom_they_change(site: Site) -> None:
    """A job below whose sidecar has the last word is not concerned, and a comment concerns nobody."""
    first = site.commit(START)
    second = site.commit({"jobs/_defaults.yaml": "parallelism: 3\n"})
    assert chosen(site, first, second) == {"a/deep/y.sql": "modified", "b/z.sql": "modified"}
    third = site.commit({"jobs/_defaults.yaml": "# three\nparallelism: 3\n"})
    assert chosen(site, second, third) == {}
    fourth = site.commit({"jobs/a/deep/_defaults.yaml": "parallelism: 9\n"})
    found = selected(site, third, fourth)
    assert [(one.path, one.because) for one in found.jobs] == [("a/deep/y.sql", ("jobs/a/deep/_defaults.yaml",))]


def test_an_environment_selects_whom_it_changes(site: Site) -> None:
    """Another environment's file concerns nobody; namespaces and the workspace concern their stacks."""
    first = site.commit(START)
    second = site.commit({"environments/prod.yaml": "jobs:\n  - match: [a/x]\n    labels: {tier: gold}\n"})
    assert chosen(site, first, second) == {}
    assert chosen(site, first, second, "prod") == {"a/deep/y.sql": "modified"}
    third = site.commit({"environments/dev.yaml": "namespaces:\n  a: {cpu: 3}\nworkspace: {cpu: 9}\n"})
    found = selected(site, second, third)
    assert (found.jobs, found.teams, found.workspace) == ((), {"a"}, True)


def test_what_cannot_be_read_hides_nothing(site: Site) -> None:
    """Defaults that are broken select every job they may have a say in."""
    first = site.commit(START)
    second = site.commit({"jobs/a/_defaults.yaml": "paralelism: 3\n"})
    assert chosen(site, first, second) == {"a/x.sql": "modified", "a/deep/y.sql": "modified"}


def test_a_link_depends_on_its_target(site: Site) -> None:
    """Both jobs are concerned."""
    site.commit(START)
    first = site.linked("jobs/b/link.sql", "../a/x.sql")
    assert chosen(site, first, site.commit({"jobs/a/x.sql": SQL})) == {"a/x.sql": "modified", "b/link.sql": "modified"}


def test_code_is_told_apart(site: Site) -> None:
    """What composes the stacks may change any of them."""
    first = site.commit(START)
    second = site.commit({"main.py": "print(1)\n", "stacks/team.py": "", "tests/test_x.py": ""})
    assert selected(site, first, second).code == ("main.py", "stacks/team.py")
    assert not composing("artifacts/lib.jar")


@pytest.mark.parametrize("hostile", [(), ("--hostile",)])
def test_every_commit_of_a_monorepo_selects_what_it_says(tmp_path: Path, hostile: tuple[str, ...]) -> None:
    """Added, modified, deleted and renamed paths are exactly those of the truth that its builder writes."""
    if not monorepo.BUILDER.exists():
        pytest.skip(f"{monorepo.BUILDER} is not there; FLINKFORM_CORPUS names the folder that has it")
    monorepo.build(tmp_path, "--jobs", "80", "--folders", "30", "--commits", "40", *hostile)
    checked, wrong = monorepo.check(tmp_path)
    assert checked > 40
    assert wrong == []


def test_a_jar_selects_whom_it_is_the_program_of(site: Site) -> None:
    """Other bytes are another program, wherever the jar is; of other jars nobody is."""
    program = "jar: {source: lib/one.jar}\n"
    first = site.commit({**START, "jobs/a/p.jar.yaml": program, "jobs/a/lib/one.jar": b"1", "jobs/b/lib/one.jar": b"1"})
    second = site.commit({"jobs/a/lib/one.jar": b"2"})
    (found,) = selected(site, first, second).jobs
    assert (found.path, found.how, found.because) == ("a/p.jar.yaml", "modified", ("jobs/a/lib/one.jar",))
    assert selected(site, second, site.commit({"jobs/b/lib/one.jar": b"2"})).jobs == ()


INCLUDES = {
    "jobs/shared/orders.inc": "CREATE TABLE o (x INT);\n",
    "jobs/shared/deep.inc": "-- flinkform: include orders.inc\n",
    "jobs/shared/other.inc": "-- ${none}\n",
    "jobs/a/near.sql": "-- flinkform: include ../shared/orders.inc\nSELECT '${topic}'",
    "jobs/b/far.sql": "-- flinkform: include /shared/deep.inc\nSELECT 1",
    "jobs/b/none.sql": "SELECT 1 -- no include ../shared/orders.inc",
    "jobs/_defaults.yaml": "variables: {topic: bids, rate: '1'}\n",
}


def test_an_include_selects_whom_it_is_a_part_of(site: Site) -> None:
    """However far away, with the file as the reason; what nobody includes, or says the same, selects nobody."""
    first = site.commit(START | INCLUDES)
    second = site.commit({"jobs/shared/orders.inc": "CREATE TABLE o (y INT);\n", "jobs/shared/other.inc": "x\n"})
    found = selected(site, first, second)
    assert {one.path: (one.how, one.because) for one in found.jobs} == {
        "a/near.sql": (How.MODIFIED, ("jobs/shared/orders.inc",)),
        "b/far.sql": (How.MODIFIED, ("jobs/shared/orders.inc",)),
    }
    assert found.teams == {"a", "b"}
    third = site.commit({"jobs/shared/deep.inc": "CREATE TABLE o (y INT);\n"})
    assert chosen(site, second, third) == {}
    assert chosen(site, third, site.commit({"jobs/shared/orders.inc": None})) == {"a/near.sql": "modified"}


def test_a_variable_selects_whom_it_stands_in(site: Site) -> None:
    """Not those that only could use it."""
    first = site.commit(START | INCLUDES)
    second = site.commit({"jobs/_defaults.yaml": "variables: {topic: bids, rate: '2'}\n"})
    assert chosen(site, first, second) == {}
    third = site.commit({"jobs/_defaults.yaml": "variables: {topic: sales, rate: '2'}\n"})
    assert chosen(site, second, third) == {"a/near.sql": "modified"}


def test_a_part_of_a_commit_has_what_its_scripts_include(site: Site, tmp_path: Path) -> None:
    """Which may be in no team's folder; the artefact is another one with it."""
    commit = site.commit(START | INCLUDES)
    extract(site.repository, commit, tmp_path / "out", teams=frozenset({"a"}))
    jobs = {job.path: str(job.values["sql"]) for job in jobfile.load(tmp_path / "out" / "jobs")}
    assert jobs["a/near.sql"] == "CREATE TABLE o (x INT);\nSELECT 'bids'"
    assert not any(path.startswith("b/") for path in jobs)
    changed = site.commit({"jobs/shared/orders.inc": "CREATE TABLE o (y INT);\n"})
    assert artefact(site.repository, commit) != artefact(site.repository, changed)
