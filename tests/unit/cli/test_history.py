"""What was released where, and where a running job comes from, as Git, labels and the ledger say together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli import named
from flinkform.cli.main import main
from flinkform.provider.provenance import BLOB, COMMIT, PATH, RELEASE, blob
from flinkform.release import ledger
from tests.unit.release.conftest import SQL, Site

JOB = {"namespace": "a", "name": "x", "deployment_id": "d", "workspace": "w", "state": "RUNNING"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A checkout with a job, which is the working directory."""
    found = Site(tmp_path / "site", tmp_path / "user")
    files = {"cdktf.json": "{}", "jobs/a/x.sql": SQL, "environments/dev.yaml": "", "environments/prod.yaml": ""}
    found.commit(files, message="first")
    monkeypatch.chdir(found.root)
    for name in ("FLINKFORM_HOME", "FLINKFORM_ENVIRONMENT", "FLINKFORM_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(found.home))
    return found


def said(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    main([*words, "--json"])
    return json.loads(capsys.readouterr().out)


def deployed(monkeypatch: pytest.MonkeyPatch, labels: Mapping[str, str], sql: str = SQL) -> None:
    """Have a control plane that keeps the job so."""

    class Client:
        def call(self, _name: str, _params: object) -> dict[str, Any]:
            return {"data": {"labels": labels, "artifact": {"sqlArtifact": {"sqlScript": sql}}}}

    monkeypatch.setattr(named, "find", lambda _here, _wanted: JOB)
    monkeypatch.setattr(named, "client", lambda _here: Client())


def test_history_is_of_an_environment_and_of_a_job(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest first; other environments have their own."""
    for number, name in enumerate(("a/x", "a/y")):
        ledger.record(
            site.repository, "dev", {"release": f"r-{number}", "outcome": "applied", "jobs": [{"name": name}]}
        )
    assert [one["release"] for one in said(capsys, "history")["releases"]] == ["r-1", "r-0"]
    assert [one["release"] for one in said(capsys, "history", "--job", "a/x")["releases"]] == ["r-0"]
    assert [one["release"] for one in said(capsys, "history", "--limit", "1")["releases"]] == ["r-1"]
    assert main(["history"]) == 0
    assert "r-1" in capsys.readouterr().out


def test_a_release_that_ended_is_told_once(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """One that was killed is told as it stands: begun."""
    for release, outcome in (("r-0", "started"), ("r-0", "applied"), ("r-1", "started")):
        ledger.record(site.repository, "dev", {"release": release, "outcome": outcome})
    assert [one["outcome"] for one in said(capsys, "history")["releases"]] == ["started", "applied"]


def test_blame_names_commit_author_and_approvers(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where labels, ledger, Git and what runs are one."""
    commit = site.repository.resolve("HEAD")
    ledger.record(site.repository, "dev", {"release": "r-1", "signed_by": "ada", "approved_by": ["pia"]})
    deployed(monkeypatch, {COMMIT: commit, PATH: "a/x.sql", BLOB: blob(SQL.encode()), RELEASE: "r-1"})
    found = said(capsys, "blame", "a/x")
    assert (found["commit"], found["subject"], found["author"]) == (commit, "first", "Ada <ada@example.com>")
    assert (found["signed_by"], found["approved_by"], found["agrees"]) == ("ada", ["pia"], True)


@pytest.mark.parametrize(
    ("path", "sql", "note"),
    [
        ("a/x.sql", "SELECT 1", "changed behind Git's back"),
        ("a/gone.sql", SQL, "the commit has nothing at this path"),
    ],
)
def test_blame_sees_what_git_does_not_say(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], path: str, sql: str, note: str
) -> None:
    """And ends with 1."""
    labels = {COMMIT: site.repository.resolve("HEAD"), PATH: path, BLOB: blob(SQL.encode())}
    deployed(monkeypatch, labels, sql)
    assert main(["blame", "a/x"]) == 1
    assert note in capsys.readouterr().out


def test_blame_of_a_job_of_no_commit_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """That is no contradiction; neither is a commit that is not in this clone."""
    deployed(monkeypatch, {})
    assert main(["blame", "a/x"]) == 0
    assert "an apply of no commit" in capsys.readouterr().out
    deployed(monkeypatch, {COMMIT: "1" * 40, PATH: "a/x.sql"})
    assert main(["blame", "a/x"]) == 0
    assert "there is no commit" in capsys.readouterr().out
    assert site.root.exists()


def test_environments_are_compared_at_a_commit(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """With the commit that each is at."""
    site.commit({"environments/prod.yaml": "jobs:\n  - match: [a/x]\n    parallelism: 9\n"})
    ledger.record(site.repository, "prod", {"release": "r-1", "outcome": "applied", "commit": "c" * 40})
    found = said(capsys, "diff", "dev", "prod")
    assert found["commits"] == {"dev": None, "prod": "c" * 40}
    assert found["differences"] == [{"what": "jobs/a/x.sql", "key": "parallelism", "dev": "", "prod": "9"}]
    assert said(capsys, "diff", "dev", "prod", "--at", "HEAD~1")["differences"] == []
