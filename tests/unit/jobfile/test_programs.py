"""A program in a jar as a job file: its kind, its pin, and where its mistakes are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from flinkform.errors import Invalid, Position
from flinkform.jobfile import load, origins, owner, survey
from tests.unit.jobfile.conftest import Site

JOBS = Path("jobs")
BYTES = b"a jar"
DIGEST = hashlib.sha256(BYTES).hexdigest()
FILE = "jobs/bids/late.jar.yaml"


def test_local(site: Site) -> None:
    """A jar beside the file is pinned by its content; defaults and environments hold for its job as for others."""
    site.write("jobs/bids/lib/late.jar", BYTES)
    site.write("jobs/_defaults.yaml", "parallelism: 3\n")
    site.write(FILE, "jar: {source: lib/late.jar, entry_class: org.Late, args: [--topic, '1']}\nstate: suspended\n")
    (job,) = load(JOBS)
    assert (job.path, job.namespace, job.name) == ("bids/late.jar.yaml", "bids", "late")
    assert job.values == {
        "jar": {
            "source": "jobs/bids/lib/late.jar",
            "sha256": DIGEST,
            "entry_class": "org.Late",
            "args": ["--topic", "1"],
        },
        "parallelism": 3,
        "state": "suspended",
    }
    assert job.sources["jar"] == Position(FILE, 1, 6)
    assert [(one.at, one.said.value) for one in origins(job.path, JOBS)][1] == (("parallelism",), 3)


def test_remote(site: Site) -> None:
    """A jar that is somewhere else is what its file says."""
    site.write(FILE, f"jar:\n  uri: oss://b/a.jar\n  sha256: '{DIGEST}'\n  dependencies: [oss://b/c.jar]\n")
    (job,) = load(JOBS)
    assert job.values["jar"] == {"uri": "oss://b/a.jar", "sha256": DIGEST, "dependencies": ["oss://b/c.jar"]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("parallelism: 1\n", f"{FILE}:1:1: expected the key 'jar'"),
        ("", f"{FILE}:1:1: expected the key 'jar'"),
        ("jar: {uri: oss://b/a.jar}\n", f"{FILE}:1:12: expected sha256 beside uri"),
        ("jar:\n  entry_class: org.A\n", f"{FILE}:2:3: expected either source or uri, got neither"),
        ("jar:\n  uri: x\n  source: y\n", f"{FILE}:3:11: expected either source or uri, got both"),
        ("jar:\n  source: ../../a.jar\n", f"{FILE}:2:11: expected a .jar below the jobs folder"),
        ("jar:\n  source: a.jar\n", f"{FILE}:2:11: jobs/bids/a.jar: expected a readable file: no such file"),
        (f"jar:\n  source: b.jar\n  sha256: '{'0' * 64}'\n", f"{FILE}:3:11: expected the sha256 of jobs/bids/b.jar"),
        ("jar:\n  sourse: b.jar\n", f"{FILE}:2:3: unknown key 'sourse'; did you mean source?"),
        ("jar:\n  source: b.jar\n  entry_class: a b\n", f"{FILE}:3:16: expected the name of a class"),
        ("jar:\n  source: b.jar\nsql: SELECT 1\n", f"{FILE}:3:1: the key 'sql' cannot be set here"),
    ],
)
def test_wrong(site: Site, text: str, told: str) -> None:
    """What is wrong is told at its line."""
    site.write("jobs/bids/b.jar", BYTES)
    site.write(FILE, text)
    with pytest.raises(Invalid) as error:
        load(JOBS)
    assert str(error.value).startswith(told)
    assert len(survey(JOBS).problems) == 1


def test_one_name(site: Site) -> None:
    """A script and a program of one name are one too many."""
    site.write("jobs/bids/late.sql")
    site.write("jobs/bids/late.jar", BYTES)
    site.write(FILE, "jar: {source: late.jar}\n")
    with pytest.raises(Invalid, match="the same name as"):
        load(JOBS)


def test_elsewhere(site: Site) -> None:
    """Defaults and sidecars name no program, and a script called x.jar keeps its sidecar."""
    site.write("jobs/bids/late.jar.sql")
    site.write(FILE, "parallelism: 2\n")
    (job,) = load(JOBS)
    assert (job.name, job.values["parallelism"]) == ("late..jar", 2)
    site.write("jobs/bids/late.yaml", "jar: {source: late.jar}\n")
    site.write("jobs/bids/late.sql")
    with pytest.raises(Invalid, match="the key 'jar' cannot be set here"):
        load(JOBS)


def test_owner() -> None:
    """The file is a job's own."""
    assert owner("bids/late.jar.yaml", {"bids/late.jar.yaml"}) == "bids/late.jar.yaml"
