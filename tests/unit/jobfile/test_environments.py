"""What an environment changes, and what it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flinkform.errors import Invalid, NotFound, Position
from flinkform.jobfile import Allowed, environment, load
from flinkform.jobfile.globs import matches
from tests.unit.jobfile.conftest import Site

JOBS = Path("jobs")
PROD = Path("environments/prod.yaml")
SAME = "may not differ between environments; set it for all of them, or allow it in schema.yaml"


def refused(site: Site, text: str) -> str:
    site.write("environments/prod.yaml", text)
    with pytest.raises(Invalid) as caught:
        environment(PROD)
    return str(caught.value)


def settings(site: Site, text: str) -> dict[str, dict[str, Any]]:
    site.write("environments/prod.yaml", text)
    return {job.path: {k: v for k, v in job.values.items() if k != "sql"} for job in load(JOBS, environment=PROD)}


def test_an_environment_is_read(site: Site) -> None:
    """A file gives a name, a workspace, namespaces and overlays with their places."""
    text = """\
workspace: {name: auction, cpu: 12, vswitch_ids: [a, b], region: eu-central-1}
namespaces:
  bids: {cpu: 8}
  empty:
jobs:
  - match: [bids/*, "**/x"]
    parallelism: 4
    labels: {a: 1}
"""
    site.write("environments/prod.yaml", text)
    read = environment(PROD)
    assert read.name == "prod"
    assert read.workspace == {"name": "auction", "cpu": 12, "vswitch_ids": ["a", "b"], "region": "eu-central-1"}
    assert read.namespaces == {"bids": {"cpu": 8}, "empty": {}}
    (overlay,) = read.overlays
    assert overlay.match == ("bids/*", "**/x")
    assert overlay.values == {"parallelism": 4, "labels": {"a": "1"}}
    assert overlay.sources["parallelism"] == Position("environments/prod.yaml", 7, 18)


@pytest.mark.parametrize("text", ["", "workspace:\nnamespaces: ~\njobs:\n", "jobs: []\n"])
def test_an_environment_may_change_nothing(site: Site, text: str) -> None:
    """An empty file is an environment like any other."""
    site.write("environments/prod.yaml", text)
    read = environment(PROD)
    assert (read.workspace, read.namespaces, read.overlays) == ({}, {}, ())


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("job: []\n", "1:1: unknown key 'job'; did you mean jobs?"),
        ("workspace: x\n", "1:12: expected keys and values, got 'x'"),
        ("workspace:\n  cpus: 1\n", "2:3: unknown key 'cpus'; did you mean cpu?"),
        ("workspace: {cpu: 0}\n", "1:18: expected a whole number of at least 1, got 0"),
        (
            "workspace: {charge_type: PRE}\n",
            f"1:13: the key 'charge_type' {SAME}",
        ),
        ("workspace: {vswitch_ids: a}\n", "1:26: expected a list, got 'a'"),
        ("workspace: {region: EU}\n", "1:21: expected a region id, got 'EU'"),
        ("namespaces: {bids: {cpu: many}}\n", "1:26: expected a whole number, got 'many'"),
        ("namespaces: {bids: 4}\n", "1:20: expected keys and values, got '4'"),
        ("jobs: {match: x}\n", "1:7: expected a list of overlays, each with match: and keys"),
        ("jobs: [x]\n", "1:8: expected keys and values, got 'x'"),
        (
            "jobs:\n  - parallelism: 2\n",
            "2:5: expected match: and a list of globs over job paths; for all jobs: ['**']",
        ),
        ("jobs:\n  - match: '**'\n", "2:12: expected a list, got '**'"),
        ("jobs:\n  - match: [a, 1]\n", "2:16: expected a string, got '1'"),
        ("jobs:\n  - match: ['**']\n    parallelism: x\n", "3:18: expected a whole number, got 'x'"),
        ("jobs:\n  - match: ['**']\n    paralelism: 1\n", "3:5: unknown key 'paralelism'; did you mean parallelism?"),
        (
            "jobs:\n  - match: ['**']\n    sql: x\n",
            "3:5: the key 'sql' cannot be set here; the script is the .sql file beside this one",
        ),
        (
            "jobs:\n  - match: ['**']\n    execution_mode: BATCH\n",
            f"3:5: the key 'execution_mode' {SAME}",
        ),
        ("jobs:\n  - match: ['**']\n    match: [a]\n", "3:5: the key 'match' comes twice, first in line 2"),
    ],
)
def test_what_an_environment_may_not_say_is_refused_at_its_place(site: Site, text: str, error: str) -> None:
    """Each mistake is named with its line and column."""
    assert refused(site, text) == f"environments/prod.yaml:{error}"


def test_overlays_lie_over_sidecars_in_their_order(site: Site) -> None:
    """An environment wins over the files of a job, a later overlay over an earlier one; SETs win over both."""
    site.write("jobs/bids/a.sql")
    site.write("jobs/bids/a.yaml", "parallelism: 2\nlabels: {a: x, b: y}\n")
    site.write("jobs/bids/b.sql", "SET 'o' = '1';\nSELECT 1;\n")
    site.write("jobs/fraud/c.sql")
    text = """\
jobs:
  - match: ["**"]
    labels: {env: prod}
    flink_options: {o: 2}
  - match: [bids/a]
    parallelism: 8
    labels: {b: null}
    flink_options: null
"""
    assert settings(site, text) == {
        "bids/a.sql": {"parallelism": 8, "labels": {"a": "x", "env": "prod"}},
        "bids/b.sql": {"labels": {"env": "prod"}, "flink_options": {"o": "1"}},
        "fraud/c.sql": {"labels": {"env": "prod"}, "flink_options": {"o": "2"}},
    }


def test_the_schema_file_says_what_may_differ(site: Site) -> None:
    """A `schema.yaml` beside the environments replaces the standard set, down to single Flink options."""
    schema = "workspace: [name]\njobs: [execution_mode, flink_options]\nflink_options: [table.*]\n"
    site.write("environments/schema.yaml", schema)
    site.write("jobs/bids/a.sql")
    text = "jobs:\n  - match: ['**']\n    execution_mode: BATCH\n    flink_options: {table.x: 1}\n"
    assert settings(site, text) == {"bids/a.sql": {"execution_mode": "BATCH", "flink_options": {"table.x": "1"}}}
    assert refused(site, "namespaces: {bids: {cpu: 1}}").startswith("environments/prod.yaml:1:21: the key 'cpu' may")
    assert refused(site, "jobs:\n  - match: ['**']\n    flink_options: {state.x: 1}\n") == (
        "environments/prod.yaml:3:21: the Flink option state.x may not differ between environments; "
        "set it for all of them, or allow it under flink_options in schema.yaml"
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("workspaces: []\n", "1:1: unknown key 'workspaces'; did you mean workspace?"),
        ("jobs: [paralelism]\n", "1:8: unknown key 'paralelism'; did you mean parallelism?"),
        ("jobs: parallelism\n", "1:7: expected a list, got 'parallelism'"),
    ],
)
def test_a_mistake_in_the_schema_file_is_refused_at_its_place(site: Site, text: str, error: str) -> None:
    """The schema file is checked as well as what it checks."""
    site.write("environments/schema.yaml", text)
    site.write("environments/prod.yaml", "")
    with pytest.raises(Invalid) as caught:
        environment(PROD)
    assert str(caught.value) == f"environments/schema.yaml:{error}"


def test_a_caller_may_say_what_may_differ(site: Site) -> None:
    """A schema given as a value goes before the file."""
    site.write("environments/prod.yaml", "workspace: {name: a}\n")
    assert environment(PROD).workspace == {"name": "a"}
    with pytest.raises(Invalid, match="the key 'name' may not differ"):
        environment(PROD, schema=Allowed(workspace=frozenset()))


def test_an_environment_that_is_not_there_is_named(site: Site) -> None:
    """A missing environment names those there are; the schema file is none."""
    site.write("environments/schema.yaml", "")
    site.write("environments/prod.yaml", "")
    for name in ("test", "schema"):
        with pytest.raises(NotFound, match=f"there is no environment environments/{name}.yaml; expected one of prod"):
            environment(Path(f"environments/{name}.yaml"))


def test_a_glob_that_matches_no_job_is_refused(site: Site) -> None:
    """A job that was renamed does not lose its production settings in silence; an empty folder is fine."""
    text = "jobs:\n  - match: ['**', bids/old]\n    parallelism: 2\n"
    assert settings(site, text) == {}
    site.write("jobs/bids/new.sql")
    with pytest.raises(Invalid) as caught:
        load(JOBS, environment=PROD)
    assert str(caught.value) == "environments/prod.yaml:2:19: no job matches 'bids/old'"


@pytest.mark.parametrize(
    ("glob", "path", "matched"),
    [
        ("**", "a/b/c.sql", True),
        ("a/*", "a/b.sql", True),
        ("a/*", "a/b/c.sql", False),
        ("a/**", "a/b/c.sql", True),
        ("**/c", "a/b/c.sql", True),
        ("**/c", "c.sql", True),
        ("a/b.sql", "a/b.sql", True),
        ("a/b", "a/b.sql", True),
        ("a/?", "a/bc.sql", False),
        ("a/b?d", "a/bcd.sql", True),
        ("a", "a/b.sql", False),
        ("a/[b]", "a/b.sql", False),
        ("a.b", "aXb", False),
    ],
)
def test_globs_match_as_in_a_shell(glob: str, path: str, matched: bool) -> None:
    """`*` stays in its folder, `**` does not, and no other character means anything but itself."""
    assert matches(glob, path) is matched
