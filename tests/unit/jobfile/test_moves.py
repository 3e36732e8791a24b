"""A file that was renamed says what it was called, and what it says is held to what can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform import jobfile
from flinkform.errors import Invalid
from flinkform.jobfile.moves import said
from tests.unit.jobfile.conftest import Site

JOBS = Path("jobs")


def loaded() -> dict[str, jobfile.Job]:
    return {job.path: job for job in jobfile.load(JOBS)}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("moved_from: shop/old.sql\n", ("old",)),
        ("parallelism: 2\nmoved_from: [shop/a/old.sql, shop/v1.sql]\n", ("a.old", "v1")),
        ("moved_from: null\n", None),
        ("moved_from: []\n", ()),
    ],
)
def test_a_job_knows_its_former_names(site: Site, text: str, names: tuple[str, ...] | None) -> None:
    """One or several, the oldest first; no value of the job itself."""
    site.write("jobs/shop/new.sql")
    site.write("jobs/shop/new.yaml", text)
    if names is None:
        with pytest.raises(Invalid, match="expected a string"):
            loaded()
        return
    job = loaded()["shop/new.sql"]
    assert jobfile.moved_names(job) == names
    assert "moved_from" not in job.values


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("old.sql", "expected the path of a job file below jobs/, got 'old.sql'; write it as"),
        ("shop/../x.sql", "expected the path of a job file"),
        ("shop/old", "expected the path of a job file"),
        ("shop/other.sql", "there is a job shop/other.sql: this one was not moved from it; remove"),
        ("web/old.sql", "a job stays in its namespace, web: no control plane moves one to shop; take a savepoint"),
        ("shop/old.jar.yaml", "is another kind of job than shop/new.sql; a script and a program are two"),
        (f"shop/{'x' * 300}.sql", "at most 255 characters, got 300; shorten"),
    ],
)
def test_what_cannot_be_is_told_at_its_place(site: Site, path: str, message: str) -> None:
    """File, line and column of what the sidecar says; survey goes on."""
    site.write("jobs/shop/other.sql")
    site.write("jobs/shop/new.sql")
    site.write("jobs/shop/new.yaml", f"moved_from: {path}\n")
    with pytest.raises(Invalid) as raised:
        loaded()
    assert str(raised.value).startswith("jobs/shop/new.yaml:1:13: ")
    assert message in str(raised.value)
    found = jobfile.survey(JOBS)
    assert [str(one) for one in found.problems] == [str(raised.value)]
    assert len(found.jobs) == 2


def test_two_jobs_were_not_one(site: Site) -> None:
    """The second that says so is told of the first."""
    for name in ("a", "b"):
        site.write(f"jobs/shop/{name}.sql")
        site.write(f"jobs/shop/{name}.yaml", "moved_from: shop/old.sql\n")
    with pytest.raises(Invalid, match=r"^jobs/shop/b.yaml:1:13: shop/a.sql was shop/old.sql too; one of them"):
        loaded()


def test_defaults_and_environments_cannot_say_it(site: Site) -> None:
    """It is said by the one file of one job."""
    site.write("jobs/shop/new.sql")
    site.write("jobs/shop/_defaults.yaml", "moved_from: shop/old.sql\n")
    site.write("environments/dev.yaml", "jobs: [{match: ['**'], moved_from: shop/old.sql}]\n")
    found = jobfile.survey(JOBS, environment=Path("environments/dev.yaml"))
    why = "the key 'moved_from' cannot be set here; it is said by the one file of the one job that was renamed"
    assert sorted(str(one) for one in found.problems) == [
        f"environments/dev.yaml:1:24: {why}",
        f"jobs/shop/_defaults.yaml:1:1: {why}",
    ]


def test_a_program_says_it_in_its_own_file(site: Site) -> None:
    """It has no other."""
    site.write(
        "jobs/shop/new.jar.yaml", f"jar: {{uri: 'https://x/y.jar', sha256: {'a' * 64}}}\nmoved_from: shop/o.jar.yaml\n"
    )
    assert jobfile.moved_names(loaded()["shop/new.jar.yaml"]) == ("o",)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'moved_from: ["shop/new.sql"]\n'),
        ("parallelism: 2", 'parallelism: 2\nmoved_from: ["shop/new.sql"]\n'),
        ("moved_from: shop/a.sql\nstate: running\n", 'state: running\nmoved_from: ["shop/a.sql", "shop/new.sql"]\n'),
        ("moved_from:\n  - shop/a.sql\n  - shop/b.sql\n# note\nstate: running\n",
         '# note\nstate: running\nmoved_from: ["shop/a.sql", "shop/b.sql", "shop/new.sql"]\n'),
        ("moved_from: shop/new.sql\n", 'moved_from: ["shop/new.sql"]\n'),
    ],
)  # fmt: skip
def test_a_file_is_made_to_say_it(before: str, after: str) -> None:
    """After what it said before; the rest of it stays, comments too."""
    assert said(before.encode(), ["shop/new.sql"]).decode() == after
