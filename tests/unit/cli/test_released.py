"""`flinkform audit verify` in a checkout: what the database has of its jobs is what was released."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli.main import main
from flinkform.controlplane.store import audit, deployments, states
from flinkform.controlplane.store.database import Store
from flinkform.provider.provenance import BLOB, COMMIT, PATH, RELEASE, blob
from flinkform.release import document, ledger
from tests.unit.release.conftest import SQL, Site


@pytest.mark.parametrize(
    ("script", "logged", "fault"),
    [
        (SQL, "r-1", ""),
        ("SELECT 1", "r-1", "dev: a/x runs the script "),
        (SQL, "r-0", "dev: a/x is labelled r-1, the log says that r-0 changed it last"),
    ],
)
def test_verify(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    script: str,
    logged: str,
    fault: str,
) -> None:
    """It says how many releases it looked at, and names the job that is otherwise."""
    site, home = Site(tmp_path / "site", tmp_path / "user"), tmp_path / "home"
    commit = site.commit({"cdktf.json": "{}", "jobs/a/x.sql": SQL})
    about: dict[str, Any] = {"release": "r-1", "commit": commit, "outcome": "applied", "jobs": [{"name": "a/x"}]}
    ledger.record(site.repository, "dev", {**about, "artefact": document.artefact(site.repository, commit)})
    labels = {COMMIT: commit, PATH: "a/x.sql", BLOB: blob(SQL.encode()), RELEASE: "r-1"}
    home.mkdir()
    _keep(home, {"labels": labels, "artifact": {"sqlArtifact": {"sqlScript": script}}}, logged)
    monkeypatch.chdir(site.root)
    monkeypatch.setenv("FLINKFORM_HOME", str(home))
    monkeypatch.setenv("HOME", str(site.home))
    assert main(["audit", "verify"]) == (1 if fault else 0)
    said = capsys.readouterr()
    assert fault in said.err
    assert ("1 releases: log, labels and Git say the same" in said.out) is not bool(fault)


def _keep(home: Path, definition: dict[str, Any], logged: str) -> None:
    """Have a control plane's database with one job of one state."""
    job = {"type": "flink_job", "instances": [{"attributes": {"deployment_id": "d"}}]}
    row = {"operation": "CreateDeployment", "outcome": "done", "where": {"workspace": "w", "namespace": "a"}}
    store = Store.at(home)
    with store.write() as db:
        deployments.create(db, "d", workspace="w", namespace="a", name="x", document=definition, creator="ada", now=1)
        states.write(db, "dev/a", json.dumps({"resources": [job]}).encode(), serial=1, lineage="l", now=1)
        audit.append(db, {**row, "changes": {"name": "x", f"labels.{RELEASE}": logged}})
    store.close()
