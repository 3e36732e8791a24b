"""What is promoted is the very artefact that an environment was released with, and runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli import plan, release
from flinkform.cli.main import main
from flinkform.cli.planning import Wanted
from flinkform.cli.project import Project
from flinkform.release import document, ledger
from flinkform.release.review import Item, Review
from tests.unit.release.conftest import SQL, Site

ITEM = Item("a", "flink_job.x", "flink_job", "a/x", "create", path="a/x.sql", digest="d")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A checkout in which plans and signatures are what the test says."""
    found = Site(tmp_path / "site", tmp_path / "user")
    prod = "workspace: {cpu: 9}\njobs:\n  - match: [a/x]\n    parallelism: 4\n"
    found.commit({"cdktf.json": "{}", "jobs/a/x.sql": SQL, "environments/dev.yaml": "", "environments/prod.yaml": prod})
    monkeypatch.chdir(found.root)
    monkeypatch.setenv("HOME", str(found.home))
    monkeypatch.delenv("FLINKFORM_ENVIRONMENT", raising=False)

    def made(here: Project, what: Wanted, _progress: object) -> Review:
        return Review(here.environment, what.commit, what.since, ("a",), (ITEM,))

    monkeypatch.setattr(plan, "made", made)
    monkeypatch.setattr(release.signature, "sign", lambda *_: "signed")
    return found


def applied(site: Site, **other: Any) -> str:
    """Record a release of dev, and return its commit."""
    commit = site.repository.resolve("HEAD")
    about = {"outcome": "applied", "commit": commit, "artefact": document.artefact(site.repository, commit)}
    ledger.record(site.repository, "dev", about | other)
    return commit


def test_the_commit_that_runs_is_released(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not the newest one; what differs between the two environments is shown, and nothing else does."""
    commit = applied(site)
    site.commit({"jobs/a/x.sql": SQL * 2})
    assert main(["promote", "dev", "prod", "--out", str(tmp_path / "r.json"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["commit"] == commit
    assert {one["key"] for one in said["differences"]} == {"cpu", "parallelism"}
    made = document.read(tmp_path / "r.json").release
    assert (made.commit, made.environment, made.since) == (commit, "prod", "")
    assert made.artefact == document.artefact(site.repository, commit)


@pytest.mark.parametrize(
    ("about", "message"),
    [
        (None, "no release was applied to dev yet"),
        ({"outcome": "failed", "why": "a/x is FAILED\nand more"}, "the last release of dev failed: a/x is FAILED;"),
        ({"outcome": "started"}, "the last release of dev did not come to its end; apply it again"),
        ({"artefact": "other"}, "is not the artefact that dev was released with"),
    ],
)
def test_what_is_not_proven_is_not_promoted(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str], about: dict[str, str] | None, message: str
) -> None:
    """No file is written then."""
    if about is not None:
        applied(site, **about)
    assert main(["promote", "dev", "prod", "--out", str(tmp_path / "r.json")]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "r.json").exists()
