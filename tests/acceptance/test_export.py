"""A namespace that exists, exported and taken over: real terraform, a whole control plane, a Flink in memory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli.main import main
from flinkform.provider.connect import connect
from flinkform.provider.protocol import plugin
from flinkform.provider.service import Service
from flinkform.provider.session import Session
from flinkform.provider.values import Values
from flinkform.resources import PROVIDER
from tests.acceptance.terraform import EMPTY, PROGRAM, Terraform
from tests.contract.served import Served, served, until

pytestmark = pytest.mark.skipif(not PROGRAM or not shutil.which("node"), reason="needs terraform and node")

SQL = "-- caf\u00e9 ${x} %{y}\r\nINSERT INTO b\tSELECT 'It''s' FROM a;\n\n"
NAMES = ("plain", "folder.inner", "with-dash", "dots..in..it", "per--25-cent", "A.b_c")


@dataclass(frozen=True, slots=True)
class There:
    """A control plane with a namespace that flinkform never saw."""

    plane: Served
    session: Session
    where: dict[str, str]

    def call(self, name: str, params: dict[str, Any], body: Any = None) -> Any:
        return self.session.client.call(name, params, body)

    def deploy(self, name: str, **values: Any) -> str:
        """Deploy a job, and return its id."""
        body = {
            "name": name,
            "executionMode": "STREAMING",
            "deploymentTarget": {"mode": "PER_JOB", "name": "default-queue"},
            "artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": values.pop("sql", SQL)}},
            **values,
        }
        return str(self.call("CreateDeployment", self.where, body)["data"]["deploymentId"])

    def start(self, deployment: str) -> None:
        """Start a job, and wait until it runs."""
        self.call("StartJobWithParams", self.where, {"deploymentId": deployment, "restoreStrategy": {"kind": "NONE"}})
        asked = {**self.where, "deploymentId": deployment}
        until(lambda: (self.call("GetDeployment", asked)["data"].get("jobSummary") or {}).get("running"), "the job")


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[There]:
    with served(tmp_path / "home") as plane:
        monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", plane.key.id)
        monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", plane.key.secret)
        monkeypatch.setenv("FLINKFORM_ENDPOINT", plane.endpoint)
        monkeypatch.delenv("FLINKFORM_ENVIRONMENT", raising=False)
        sessions = [connect({}, threading.Event(), environment=os.environ)]

        def connected(block: Values, stop: threading.Event) -> Session:
            sessions.append(connect(block, stop, environment=os.environ))
            return sessions[-1]

        with plugin.reattach(Service(connected).methods, PROVIDER) as provider:
            terraform = Terraform(tmp_path, {**_shell(), "TF_REATTACH_PROVIDERS": provider.environment})
            made = tmp_path / "made"
            made.mkdir()
            place = Terraform(made, terraform.variables).apply(PLACE)
            where = {"workspace": place["flink_workspace.main"]["resource_id"], "namespace": "bids"}
            monkeypatch.setenv("TF_REATTACH_PROVIDERS", provider.environment)
            yield There(plane, sessions[0], where)
        for session in sessions:
            session.client.close()  # type: ignore[attr-defined]


PLACE = """
resource "flink_workspace" "main" {
  name        = "auction"
  cpu         = 20
  vpc_id      = "vpc-1"
  vswitch_ids = ["vsw-1"]
  bucket      = "b"
}

resource "flink_namespace" "bids" {
  workspace_id = flink_workspace.main.id
  name         = "bids"
  cpu          = 8
}
"""


def _shell() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k.startswith(("ALIBABA_CLOUD_", "FLINKFORM_", "TF_REATTACH"))}


def test_exported_and_taken_over(there: There, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is written gives the jobs back: all are imported, nothing is changed, and the plan after is empty."""
    ids = {name: there.deploy(name) for name in NAMES}
    options = {"state.backend.type": "rocksdb", "on": "off", "n": "1.10", "odd: # \u2028": 'a "b" \\ \u00e9'}
    ids["tuned"] = there.deploy(
        "tuned",
        description="yes: # no",
        flinkConf=options,
        labels={"team": "0x1f"},
        logging={"log4jLoggers": [{"loggerName": "org.apache", "loggerLevel": "WARN"}]},
        streamingResourceSetting={"resourceSettingMode": "BASIC", "basicResourceSetting": {"parallelism": 3}},
    )
    for name in ("plain", "tuned"):
        there.start(ids[name])
    folder = tmp_path / "exported"
    assert main(["export", "bids", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["left_out"] == []
    assert [one["notes"] for one in told["jobs"]] == [[]] * 7
    jobs = folder / "jobs" / "bids"
    assert (jobs / "dots.in.it.sql").read_bytes() == SQL.encode()
    assert not (jobs / "plain.yaml").exists()
    assert (jobs / "folder/inner.yaml").read_text() == "state: suspended\n"

    subprocess.run(
        [sys.executable, "main.py"], cwd=folder, check=True, timeout=120, env={**os.environ, "PYTHONPATH": ""}
    )
    terraform = Terraform(folder / "cdktf.out" / "stacks" / "bids", _shell())
    terraform.run("init", "-input=false")
    before = there.call("ListDeployments", there.where)["data"]
    shown = terraform.run("plan", "-input=false", "-out=plan", ok=(EMPTY,)).stdout
    assert "Plan: 8 to import, 0 to add, 0 to change, 0 to destroy." in shown
    terraform.run("apply", "-input=false", "plan")
    terraform.run("plan", "-input=false", "-detailed-exitcode", ok=(EMPTY,))
    assert there.call("ListDeployments", there.where)["data"] == before


def test_what_no_file_can_say(there: There, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that no file gives is told and stops the whole; left out on demand it is named."""
    for name in ("fine", "per--cent", "a.", "0---_defaults"):
        there.deploy(name)
    folder = tmp_path / "exported"
    assert main(["export", "bids", str(folder)]) == 1
    assert not folder.exists()
    said = capsys.readouterr().err
    assert all(repr(name) in said for name in ("per--cent", "a.", "0---_defaults"))
    assert main(["export", "bids", str(folder), "--skip", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["left_out"]) == 3
    assert [path for path in told["files"] if path.startswith("jobs/")] == [
        "jobs/bids/fine.sql",
        "jobs/bids/fine.yaml",
    ]
    (folder / "mine").touch()
    assert main(["export", "bids", str(folder)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert main(["export", "nothing", str(tmp_path / "other")]) == 1
    assert "expected one of auction-default, bids" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".export-")] == []
