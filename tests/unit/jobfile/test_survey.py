"""One reading tells everything that is wrong, in every file and every layer."""

from __future__ import annotations

from pathlib import Path

from flinkform.errors import Position
from flinkform.jobfile import Survey, survey
from tests.unit.jobfile.conftest import Site

JOBS, PROD = Path("jobs"), Path("environments/prod.yaml")


def places(found: Survey) -> list[str]:
    return sorted(str(error).split(": ", 1)[0] for error in found.problems)


def test_every_problem_is_found_at_once(site: Site) -> None:
    """Of every file, each thing once, however many jobs it is about."""
    site.write("jobs/_defaults.yaml", "parallelism: 1\n")
    site.write("jobs/m/_defaults.yaml", "parallelism: no\n")
    for path in ("m/a.sql", "m/b.sql", "n/fine.sql"):
        site.write(f"jobs/{path}")
    site.write("jobs/n/empty.sql", "")
    site.write("jobs/n/lost.yaml", "")
    assert [str(error).split(": ", 1)[0] for error in survey(JOBS).problems] == [
        "jobs/n/lost.yaml:1:1",
        "jobs/m/_defaults.yaml:1:14",
        "jobs/n/empty.sql:1:1",
    ]


def test_every_problem_of_one_file(site: Site) -> None:
    """Keys, values, entries of maps and of objects; a key that comes twice does not hide the rest."""
    text = """\
parallelism: many
paralelism: 2
state: stopped
state: running
name: x
labels:
  a: [b]
  flinkform.io/x: y
upgrade:
  mod: latest
  fallback: 1
timeouts: {create: soon, update: later}
"""
    site.write("jobs/n/a.sql")
    site.write("jobs/n/a.yaml", text)
    where = {"1:14", "2:1", "3:8", "4:1", "5:1", "7:6", "10:3", "11:13", "12:20", "12:34"}
    assert places(survey(JOBS)) == sorted(f"jobs/n/a.yaml:{place}" for place in where)
    site.write("jobs/n/a.yaml", "labels: {flinkform.io/x: y}\nflink_options: {execution.runtime-mode: batch}\n")
    assert places(survey(JOBS)) == ["jobs/n/a.yaml:1:10", "jobs/n/a.yaml:2:17"]


def test_every_layer_is_read_whatever_is_wrong_with_another(site: Site) -> None:
    """Schema, environment, defaults, sidecar and script of one job, all wrong, are five files in one answer."""
    site.write("environments/schema.yaml", "jobs: [paralelism]\n")
    site.write("environments/prod.yaml", "workspace: {cpu: 0}\njobs:\n  - match: ['**', x]\n    parallelism: 0\n")
    site.write("jobs/n/_defaults.yaml", "labels: {a: b\n")
    site.write("jobs/n/a.yaml", "state: off\n")
    site.write("jobs/n/a.sql", b"SELECT '\xff'")
    site.write("jobs/n/b.yaml", "parallelism: x\n")
    site.write("jobs/n/b.sql")
    assert places(survey(JOBS, environment=PROD)) == [
        "environments/prod.yaml:1:18",
        "environments/prod.yaml:3:19",
        "environments/prod.yaml:4:18",
        "environments/schema.yaml:1:8",
        "jobs/n/_defaults.yaml:1:9",
        "jobs/n/a.sql:1:9",
        "jobs/n/a.yaml:1:8",
        "jobs/n/b.yaml:1:14",
    ]


def test_several_problems_of_an_environment(site: Site) -> None:
    """Sections, keys that may not differ, globs and options, each at its place."""
    text = """\
workspaces: {}
workspace: {charge_type: PRE, cpus: 1}
namespaces: {n: {cpu: many}, m: 4}
jobs:
  - match: ['**', 1]
    execution_mode: BATCH
    sql: x
  - parallelism: 2
  - x
"""
    site.write("environments/prod.yaml", text)
    site.write("jobs/n/a.sql")
    where = ("1:1", "2:13", "2:31", "3:23", "3:30", "3:33", "5:19", "6:5", "7:5", "8:5", "9:5")
    assert places(survey(JOBS, environment=PROD)) == sorted(f"environments/prod.yaml:{place}" for place in where)


def test_jobs_that_flink_may_look_at(site: Site) -> None:
    """A mistake that Flink does not care about hides no other; where its options are not known it is not asked."""
    site.write("jobs/n/a.sql")
    site.write("jobs/n/a.yaml", "parallelism: x\n")
    site.write("jobs/n/b.sql")
    site.write("jobs/n/b.yaml", "execution_mode: BATHC\n")
    site.write("jobs/m/_defaults.yaml", "flink_options: [a]\n")
    site.write("jobs/m/c.sql")
    site.write("jobs/o/_defaults.yaml", "{")
    site.write("jobs/o/d.sql")
    found = survey(JOBS)
    assert [job.path for job in found.jobs] == ["n/a.sql"]
    assert len(found.problems) == 4


def test_a_namespace_without_a_folder_is_named(site: Site) -> None:
    """The environment says something about a folder that is not there: at its place."""
    site.write("environments/prod.yaml", "namespaces:\n  bids: {cpu: 1}\n  bidz: {cpu: 2}\n")
    site.write("jobs/bids/a.sql")
    (error,) = survey(JOBS, environment=PROD).problems
    assert str(error) == ("environments/prod.yaml:3:3: there is no job in jobs/bidz; remove it, or name another folder")


def test_a_folder_that_the_environment_does_not_name_is_told(site: Site) -> None:
    """It is no mistake, but not silent either, unless the environment names none at all."""
    site.write("jobs/bids/a.sql")
    site.write("jobs/fraud/b.sql")
    site.write("environments/prod.yaml", "namespaces: {bids: }\n")
    found = survey(JOBS, environment=PROD)
    assert (found.problems, found.silent) == ((), ("fraud",))
    site.write("environments/prod.yaml", "")
    assert survey(JOBS, environment=PROD).silent == ()


def test_letters_that_terraform_writes_otherwise_are_told(site: Site) -> None:
    """A letter with its accent beside it does not survive to the byte: where the first one stands is said."""
    site.write("jobs/n/a.sql", "SELECT 'caf\u00e9';\nSELECT 'cafe\u0301e\u0301';\n")
    site.write("jobs/n/b.sql", "SELECT 'caf\u00e9';\n")
    found = survey(JOBS)
    assert (found.problems, found.recomposed) == ((), (Position("jobs/n/a.sql", 2, 12),))


def test_a_tree_that_cannot_be_listed_hides_no_environment(site: Site) -> None:
    """What is wrong beside it is told in the same answer."""
    site.write("environments/prod.yaml", "x: 1\n")
    site.write("jobs/n/a.sql")
    (site.jobs / "n" / "more").symlink_to("/")
    assert places(survey(JOBS, environment=PROD)) == ["environments/prod.yaml:1:1", "jobs/n/more:1:1"]
