"""Log, labels and Git are held against each other, and what does not fit is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.provider.provenance import blob
from flinkform.release import document, ledger, proof
from flinkform.release.proof import Running
from tests.unit.release.conftest import SQL, Site


def released(site: Site, release: str, *outcomes: str, name: str = "a/x") -> Running:
    """Record a release of HEAD, and return the job as that release leaves it."""
    commit = site.repository.resolve("HEAD")
    about = {"release": release, "commit": commit, "artefact": document.artefact(site.repository, commit)}
    for outcome in outcomes:
        ledger.record(site.repository, "dev", {**about, "outcome": outcome, "jobs": [{"name": name}]})
    script = (site.root / "jobs/a/x.sql").read_text()
    runs = blob(script.encode())
    labels = {"commit": commit, "path": "a/x.sql", "blob": runs, "release": release}
    return Running("a/x", labels, runs, release)


def said(site: Site, *jobs: Running) -> list[str]:
    return list(proof.faults(site.repository, "dev", jobs))


def test_what_fits_has_no_fault(site: Site) -> None:
    """A job of the newest release, one of an older, one that no release ever changed, one the log tells nothing of."""
    site.commit({"jobs/a/x.sql": SQL})
    job = released(site, "r-1", "started", "applied")
    site.commit({"jobs/a/x.sql": SQL * 2})
    newer = released(site, "r-2", "started", "failed")
    released(site, "r-3", "started", "applied", name="a/y")
    assert said(site, job, newer, replace(job, logged=None), Running("a/z", {}, "5" * 40, "")) == []


@pytest.mark.parametrize(
    ("label", "value", "fault"),
    [
        ("release", "r-9", "dev: a/x is labelled r-9, the ledger says r-1"),
        ("release", "", "dev: a/x is labelled with no release, the ledger says r-1"),
        ("commit", "1" * 40, "dev: a/x is labelled 111111111111, r-1 is of "),
        ("path", "a/other.sql", "dev: a/x is of a/other.sql, which "),
        ("blob", "2" * 40, "its label says 222222222222"),
    ],
)
def test_a_label_that_lies_is_named(site: Site, label: str, value: str, fault: str) -> None:
    """With what the others say."""
    site.commit({"jobs/a/x.sql": SQL})
    job = released(site, "r-1", "applied")
    (found,) = said(site, replace(job, labels={**job.labels, label: value}))
    assert fault in found


def test_a_script_or_a_log_that_lies_is_named(site: Site) -> None:
    """What runs is not what was released, or somebody else brought it."""
    site.commit({"jobs/a/x.sql": SQL})
    job = released(site, "r-1", "applied")
    assert "runs the script" in said(site, replace(job, script="5" * 40))[0]
    assert said(site, replace(job, logged="r-8")) == ["dev: a/x is labelled r-1, the log says that r-8 changed it last"]


def test_a_ledger_that_lies_is_named(site: Site) -> None:
    """Another artefact, a commit that is not there, an object of which a byte is another."""
    site.commit({"jobs/a/x.sql": SQL})
    released(site, "r-1", "applied")
    ledger.record(site.repository, "dev", {"release": "r-2", "commit": "1" * 40, "artefact": "", "outcome": "applied"})
    commit = site.repository.resolve("HEAD")
    ledger.record(site.repository, "dev", {"release": "r-3", "commit": commit, "artefact": "x", "outcome": "applied"})
    assert said(site) == [
        "dev: r-2 is of the commit 111111111111, which Git does not have",
        f"dev: r-3 is not of the artefact that {commit[:12]} has",
    ]
    tree = site.repository.resolve("refs/flinkform/dev")
    held = site.git("rev-parse", f"{tree}:release.json").decode().strip()
    file = Path(site.root, ".git", "objects", held[:2], held[2:])
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.chmod(0o600)
    file.write_bytes(bytes(data))
    (found,) = said(site)
    assert "the ledger of dev is damaged" in found


def test_a_script_with_what_it_includes_fits(site: Site) -> None:
    """Flink got more than the file at the path has, and that is what the commit makes of it for the environment."""
    site.commit(
        {
            "jobs/a/x.sql": "-- flinkform: include t.inc\nSELECT '${topic}'",
            "jobs/a/t.inc": SQL,
            "environments/schema.yaml": "jobs: [variables]\n",
            "environments/dev.yaml": "jobs: [{match: ['**'], variables: {topic: bids}}]\n",
        }
    )
    job = released(site, "r-1", "applied")
    for script, fits in ((f"{SQL}SELECT 'bids'", True), (f"{SQL}SELECT 'sales'", False)):
        runs = blob(script.encode())
        found = said(site, replace(job, script=runs, labels={**job.labels, "blob": runs}))
        assert (found == []) is fits
