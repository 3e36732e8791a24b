"""The provider as it ships: one file in a mirror, started by the real terraform, calling a real control plane."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flinkform.flink.values import Phase
from flinkform.provider import build
from flinkform.provider.document import PATH, normalised
from tests.acceptance.terraform import PROGRAM, Terraform
from tests.contract.served import Served, served, until

pytestmark = pytest.mark.skipif(not PROGRAM, reason="needs terraform")

PLATFORM = """
resource "flink_workspace" "main" {
  name        = "main"
  vpc_id      = "vpc"
  vswitch_ids = ["vsw"]
  bucket      = "bucket"
}
resource "flink_namespace" "n" {
  workspace_id = flink_workspace.main.id
  name         = "bids"
  cpu          = %s
}
"""
JOB = """
resource "flink_job" "a" {
  workspace     = flink_workspace.main.resource_id
  namespace     = flink_namespace.n.name
  name          = "a"
  description   = "é"
  sql           = %s
  flink_options = { "a.b" = "1", "c" = "true" }
  labels        = { team = "x" }
  logging       = { root = "INFO" }
  parallelism   = 2
}
data "flink_jobs" "all" {
  workspace  = flink_workspace.main.resource_id
  namespace  = flink_namespace.n.name
  depends_on = [flink_job.a]
}
data "flink_engine_versions" "all" {
  workspace = flink_workspace.main.resource_id
}
"""
SCRIPT = "-- é\r\nSELECT '${x}', '%{y}'; \ufeff"


def job(script: str) -> str:
    """Return the configuration of a job whose script is *script* to the byte."""
    return JOB % json.dumps(script, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def terraform(plane: Served, tmp_path: Path) -> Iterator[Terraform]:
    """A folder that is initialised from the mirror; what it made is destroyed afterwards."""
    variables = {
        "FLINKFORM_ENDPOINT": plane.endpoint,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": plane.key.id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": plane.key.secret,
        "FLINKFORM_PYTHON": sys.executable,
    }
    folder = tmp_path / "stack"
    folder.mkdir()
    made = Terraform(folder, variables=variables, rc=build.install(tmp_path))
    made.write("")
    made.run("init", "-input=false")
    yield made
    made.destroy()


def test_schema(terraform: Terraform) -> None:
    """The contract that is checked in is what the real terraform prints of the installed provider."""
    printed = json.loads(terraform.run("providers", "schema", "-json").stdout)
    assert normalised(printed) == PATH.read_text(encoding="utf-8")


def test_lifecycle(terraform: Terraform, plane: Served) -> None:
    """Workspace, namespace and job are made, upgraded, imported and destroyed, and plans between are empty."""
    state = terraform.apply(PLATFORM % 4 + job(SCRIPT))
    assert state["flink_job.a"]["sql"] == SCRIPT
    assert state["data.flink_jobs.all"]["jobs"][0]["state"] == "running"
    assert state["data.flink_engine_versions.all"]["default"] == state["flink_job.a"]["engine_version"]

    savepoints = len(plane.flink.savepoints)
    terraform.apply(PLATFORM % 8 + job("SELECT 2"), expect={"flink_job.a": ["update"], "flink_namespace.n": ["update"]})
    assert len(plane.flink.savepoints) == savepoints + 1

    before = terraform.state()
    for address in ("flink_job.a", "flink_namespace.n", "flink_workspace.main"):
        terraform.run("state", "rm", address)
        terraform.run("import", "-input=false", address, before[address]["id"])
    assert terraform.plan() == {}
    before["flink_job.a"]["state_verdict"] = None  # it is the last edit's, of which an import knows nothing
    assert {a: v for a, v in terraform.state().items() if a in before} == before


def test_drift(terraform: Terraform, plane: Served) -> None:
    """A job that Flink gave up is drift, and an attribute that is taken away is taken away there too."""
    terraform.apply(PLATFORM % 4 + job("SELECT 1"))
    running = [key for key, found in plane.flink.jobs.items() if found.seen.state is Phase.RUNNING]
    plane.flink.see(running[-1], Phase.FAILED)
    until(lambda: terraform.plan() == {"flink_job.a": ["update"]}, "the failure to be noticed")
    terraform.apply(expect={"flink_job.a": ["update"]})

    plain = 'resource "flink_job" "a" {\n  workspace = flink_workspace.main.resource_id\n  namespace = "bids"\n'
    plain += '  name = "a"\n  sql = "SELECT 1"\n  depends_on = [flink_namespace.n]\n}\n'
    state = terraform.apply(PLATFORM % 4 + plain, expect={"flink_job.a": ["update"]})["flink_job.a"]
    assert [state[name] for name in ("description", "flink_options", "labels", "logging")] == [None] * 4
    assert state["parallelism"] == 1


def test_taken(terraform: Terraform) -> None:
    """A name that is taken is the API's refusal, and nothing is adopted."""
    second = job("SELECT 1").replace('"flink_job" "a"', '"flink_job" "b"').split("data ")[0]
    terraform.apply(PLATFORM % 4 + job("SELECT 1"))
    said = terraform.fails(PLATFORM % 4 + job("SELECT 1") + second)
    assert "flink_job.b" in said
    assert "taken" in said or "exists" in said
    terraform.write(PLATFORM % 4 + job("SELECT 1"))


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("FLINKFORM_ENDPOINT", "http://127.0.0.1:9", "start the control plane with `flinkform up`"),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong", "it was signed with the key"),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", "", "half a key"),
    ],
)
def test_unusable(terraform: Terraform, variable: str, value: str, expected: str) -> None:
    """A control plane that is down and a key that is wrong are clear errors, and the secret is in none."""
    right = dict(terraform.variables)
    terraform.variables = right | {variable: value}
    said = terraform.fails(PLATFORM % 4)
    terraform.variables = right
    assert expected in said
    assert right["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] not in said
    assert terraform.state() == {}
