"""What terraform's user sees of the provider: the real terraform, an API in memory."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flinkform.cli import boxes
from flinkform.errors import Refused
from flinkform.provider.lists import Lists
from flinkform.provider.protocol import plugin
from flinkform.provider.service import Service
from flinkform.provider.session import Session
from flinkform.provider.values import Values
from flinkform.resources import PROVIDER
from tests.acceptance.terraform import PROGRAM, Terraform, told
from tests.contract.served import until
from tests.unit.provider.clock import Time
from tests.unit.provider.cloud import Cloud

pytestmark = pytest.mark.skipif(not PROGRAM, reason="needs terraform")

JOB = """
resource "flink_job" "a" {
  workspace = "w"
  namespace = "n"
  name      = "a"
  sql       = "%s"
  %s
}
"""


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def terraform(cloud: Cloud, tmp_path: Path) -> Iterator[Terraform]:
    """A folder whose provider is this process."""

    def connect(_block: Values, _stop: threading.Event) -> Session:
        time = Time()
        return Session(client=cloud, lists=Lists(cloud), stop=time, clock=time)

    with plugin.reattach(Service(connect).methods, PROVIDER) as served:
        yield Terraform(tmp_path, {"TF_REATTACH_PROVIDERS": served.environment})


def test_composed_and_decomposed_letters(terraform: Terraform, cloud: Cloud) -> None:
    """Terraform composes accents (NFC) on both sides, so nothing differs for ever; what is sent is composed."""
    decomposed = "SELECT 'cafe\u0301'"
    terraform.apply(JOB % (decomposed, 'labels = { "e\u0301" = "e\u0301" }'), expect={"flink_job.a": ["create"]})
    (document,) = cloud.deployments.values()
    assert document["artifact"]["sqlArtifact"]["sqlScript"] == "SELECT 'caf\u00e9'"
    document["artifact"]["sqlArtifact"]["sqlScript"] = decomposed
    document["labels"] = {key: value for key, value in document["labels"].items() if key.isascii()} | {
        "e\u0301": "e\u0301"
    }
    assert terraform.plan() == {}


def test_create_and_change(terraform: Terraform, cloud: Cloud) -> None:
    """A job is created RUNNING, upgraded from a savepoint in place, and destroyed with one; plans between are empty."""
    state = terraform.apply(JOB % ("SELECT 1", ""), expect={"flink_job.a": ["create"]})
    assert state["flink_job.a"]["state"] == "running"
    assert state["flink_job.a"]["engine_version"] == "vvr-1"
    cloud.changes()

    terraform.apply(JOB % ("SELECT 2", ""), expect={"flink_job.a": ["update"]})
    assert cloud.changes() == ["StopJob", "UpdateDeployment", "StartJob"]
    restore = cloud.job("a")["restoreStrategy"]
    assert (restore["kind"], restore["savepointId"]) == ("FROM_SAVEPOINT", next(iter(cloud.savepoints)))

    terraform.destroy()
    assert cloud.changes() == ["StopJob", "DeleteDeployment"]
    assert len(cloud.savepoints) == 2
    assert not cloud.deployments


def test_drift(terraform: Terraform, cloud: Cloud) -> None:
    """A failed job and a changed definition are drift, and the next apply repairs both."""
    terraform.apply(JOB % ("SELECT 1", "parallelism = 2"))
    cloud.kill("a")
    terraform.apply(expect={"flink_job.a": ["update"]})
    assert cloud.job("a")["restoreStrategy"]["kind"] == "LATEST_STATE"

    cloud.named("a")["streamingResourceSetting"]["basicResourceSetting"]["parallelism"] = 9
    cloud.named("a")["revision"] += 1
    terraform.apply(expect={"flink_job.a": ["update"]})
    assert cloud.named("a")["streamingResourceSetting"]["basicResourceSetting"]["parallelism"] == 2

    cloud.deployments.clear()
    terraform.apply(expect={"flink_job.a": ["create"]})


def test_import(terraform: Terraform, cloud: Cloud) -> None:
    """An imported job plans empty, defaults written out or not, and a wrong id is told the form of a right one."""
    before = terraform.apply(JOB % ("SELECT 1", 'labels = { team = "x" }'))["flink_job.a"]
    terraform.run("state", "rm", "flink_job.a")
    said = terraform.run("import", "-input=false", "flink_job.a", "w/n", ok=(1,))
    assert "<workspace>/<namespace>/<deployment_id>" in told(said.stdout)
    terraform.run("import", "-input=false", "flink_job.a", before["id"])
    assert terraform.state()["flink_job.a"] == before
    assert terraform.plan() == {}
    defaults = 'upgrade = { mode = "savepoint", fallback = true }\n  savepoint_on_destroy = true\n  state = "running"'
    terraform.write(JOB % ("SELECT 1", 'labels = { team = "x" }\n  ' + defaults))
    assert terraform.plan() == {}
    cloud.changes()
    terraform.apply(JOB % ("SELECT 1", 'labels = { team = "x" }\n  timeouts = { create = "5m" }'))
    assert cloud.changes() == []


def test_toggle(terraform: Terraform, cloud: Cloud) -> None:
    """`state` works both ways, and what a suspended job left is what it goes on from."""
    suspended = JOB % ("SELECT 1", 'state = "suspended"')
    terraform.apply(JOB % ("SELECT 1", ""))
    cloud.changes()
    terraform.apply(suspended, expect={"flink_job.a": ["update"]})
    assert cloud.changes() == ["StopJob"]
    assert cloud.savepoints
    terraform.apply(JOB % ("SELECT 1", ""), expect={"flink_job.a": ["update"]})
    assert cloud.changes() == ["StartJob"]
    assert cloud.job("a")["restoreStrategy"]["kind"] == "LATEST_STATE"


def test_replace(terraform: Terraform, cloud: Cloud) -> None:
    """What only a new job can have replaces the old one, unless it is protected."""
    terraform.apply(JOB % ("SELECT 1", "deletion_protection = true"))
    said = terraform.fails(JOB % ("SELECT 1", 'deletion_protection = true\n  execution_mode = "BATCH"'), command="plan")
    assert "'a' is protected from being destroyed or replaced" in said
    assert "deletion_protection" in said
    assert "protected" in terraform.fails(JOB % ("SELECT 1", "deletion_protection = true"), command="destroy")
    terraform.apply(JOB % ("SELECT 1", "deletion_protection = false"), expect={"flink_job.a": ["update"]})
    batch = JOB % ("SELECT 1", 'execution_mode = "BATCH"')
    terraform.apply(batch, expect={"flink_job.a": ["delete", "create"]})
    assert cloud.job("a")["status"]["currentJobStatus"] == "FINISHED"


def test_failing_job(terraform: Terraform, cloud: Cloud) -> None:
    """A job that fails to start is an error with reason, diagnosis and log; the next apply repairs what is kept."""
    cloud.broken["a"] = "no such table"
    said = terraform.fails(JOB % ("SELECT 1", "deletion_protection = true"))
    assert "no such table" in said
    assert "no slots are free" in said
    assert "log line 99" in said
    assert "log line 1 " not in said
    assert terraform.state()["flink_job.a"]["state"] == "failed"
    assert len(cloud.deployments) == 1
    cloud.broken.clear()
    state = terraform.apply(expect={"flink_job.a": ["delete", "create"]})
    assert state["flink_job.a"]["state"] == "running"


def test_failing_upgrade(terraform: Terraform, cloud: Cloud) -> None:
    """An upgrade whose job does not start is an error; state says failed, and the fixed script goes on from state."""
    terraform.apply(JOB % ("SELECT 1", ""))
    cloud.broken["a"] = "state is not compatible"
    assert "state is not compatible" in terraform.fails(JOB % ("SELECT 2", ""))
    kept = terraform.state()["flink_job.a"]
    assert (kept["state"], kept["sql"]) == ("failed", "SELECT 2")
    cloud.broken.clear()
    terraform.apply(JOB % ("SELECT 3", ""), expect={"flink_job.a": ["update"]})
    assert cloud.job("a")["restoreStrategy"]["kind"] == "LATEST_STATE"


LOSS = {
    "verdict": "partly",
    "summary": "1 of 2 operators drops its state",
    "operators": [{"name": "join: leftInputSpec=[a]", "fate": "dropped", "why": "its condition is another one"}],
}


def test_verdict(terraform: Terraform, cloud: Cloud) -> None:
    """An edit that would lose state is an error of the plan; allowed, it is a warning, a value, and stays planned."""
    cloud.verdicts = {"SELECT 2": LOSS}
    terraform.apply(JOB % ("SELECT 1", ""))
    cloud.changes()
    said = terraform.fails(JOB % ("SELECT 2", ""), command="plan")
    assert "a would lose state: 1 of 2 operators drops its state" in said
    assert "dropped: join: leftInputSpec=[a]; its condition is another one" in said
    assert 'resource "flink_job" "a"' in said
    assert "SELECT 2" not in said
    assert cloud.changes() == []

    allowed = JOB % ("SELECT 2", 'upgrade = { on_incompatible = "drop_partial" }')
    terraform.write(allowed)
    shown = told(terraform.run("plan", "-input=false").stdout)
    assert '+ state_verdict = "partly"' in shown
    assert "a loses a part of its state" in shown
    state = terraform.apply(allowed, expect={"flink_job.a": ["update"]})
    assert state["flink_job.a"]["state_verdict"] == "partly"
    assert cloud.job("a")["restoreStrategy"]["allowNonRestoredState"] is True


def test_brought_back(terraform: Terraform, cloud: Cloud) -> None:
    """Where nobody can tell and Flink refuses the state, the old job runs again from its savepoint, as it was."""
    cloud.verdicts = None
    terraform.apply(JOB % ("SELECT 1", ""))
    cloud.unfit["SELECT 2"] = "Cannot map checkpoint/savepoint state for operator 5_group-aggregate to the new program"
    terraform.write(JOB % ("SELECT 2", ""))
    assert '+ state_verdict = "unknown"' in told(terraform.run("plan", "-input=false").stdout)
    said = terraform.fails()
    assert "a was not upgraded" in said
    assert "5_group-aggregate" in said
    assert cloud.job("a")["status"]["currentJobStatus"] == "RUNNING"
    kept = terraform.state()["flink_job.a"]
    assert (kept["sql"], kept["state"]) == ("SELECT 1", "running")
    terraform.apply(JOB % ("SELECT 1", ""), expect={})


def test_dearest_change(terraform: Terraform, cloud: Cloud) -> None:
    """Several changes cost the dearest: nothing for labels, a restart for SQL, one without state where it must be."""
    empty = 'upgrade = { on_incompatible = "restart_empty" }'
    terraform.apply(JOB % ("SELECT 1", empty))
    cloud.changes()
    terraform.apply(JOB % ("SELECT 1", f'{empty}\n  labels = {{ a = "b" }}'))
    assert cloud.changes() == ["UpdateDeployment"]
    terraform.apply(JOB % ("SELECT 2", f"{empty}\n  parallelism = 3"))
    assert cloud.changes() == ["StopJob", "UpdateDeployment", "StartJob"]
    assert cloud.job("a")["restoreStrategy"]["kind"] == "FROM_SAVEPOINT"
    options = 'flink_options = { "pipeline.max-parallelism" = "8" }'
    terraform.apply(JOB % ("SELECT 3", f"{empty}\n  parallelism = 3\n  {options}"))
    assert cloud.changes() == ["StopJob", "UpdateDeployment", "StartJob"]
    assert cloud.job("a")["restoreStrategy"]["kind"] == "NONE"


def test_wrong_script(terraform: Terraform, cloud: Cloud) -> None:
    """A script that is wrong costs nothing: nothing is made, and a running job goes on."""
    cloud.wrong["SELEC"] = "unexpected SELEC"
    assert "line 3, column 7: unexpected SELEC" in terraform.fails(JOB % ("SELEC", ""))
    assert not cloud.deployments
    terraform.apply(JOB % ("SELECT 1", ""))
    cloud.changes()
    assert "unexpected SELEC" in terraform.fails(JOB % ("SELEC", ""))
    assert cloud.changes() == []
    assert terraform.state()["flink_job.a"]["sql"] == "SELECT 1"


def test_validation(terraform: Terraform) -> None:
    """Every fault of a configuration is told at once, where it is, before anything is called."""
    wrong = """
  state       = "jumping"
  parallelism = 0
  upgrade     = { mode = "magic" }
  logging     = { root = "LOUD" }
"""
    said = terraform.fails(JOB % ("SELECT 1", wrong), command="validate")
    for text in ("running, suspended", "at least 1", "savepoint, latest, stateless", "TRACE, DEBUG"):
        assert text in said


def test_unknown_values(terraform: Terraform, cloud: Cloud) -> None:
    """A workspace, a namespace in it and a job in that are made in one apply."""
    terraform.apply("""
resource "flink_workspace" "main" {
  name        = "main"
  vpc_id      = "vpc"
  vswitch_ids = ["vsw"]
  bucket      = "bucket"
}
resource "flink_namespace" "n" {
  workspace_id = flink_workspace.main.id
  name         = "n"
}
resource "flink_job" "a" {
  workspace     = flink_workspace.main.resource_id
  namespace     = flink_namespace.n.name
  name          = "a"
  sql           = "SELECT 1"
  flink_options = { "a.b" = flink_workspace.main.resource_id }
}
data "flink_jobs" "all" {
  workspace  = flink_workspace.main.resource_id
  namespace  = flink_namespace.n.name
  depends_on = [flink_job.a]
}
data "flink_engine_versions" "all" {
  workspace = flink_workspace.main.resource_id
}
""")
    state = terraform.state()
    assert [j["name"] for j in state["data.flink_jobs.all"]["jobs"]] == ["a"]
    assert state["data.flink_jobs.all"]["jobs"][0]["state"] == "running"
    assert state["data.flink_engine_versions.all"]["default"] == "vvr-1"
    assert state["data.flink_engine_versions.all"]["versions"] == [{"version": "vvr-1", "status": "STABLE"}]
    terraform.destroy()
    assert [cloud.instances, cloud.namespaces, cloud.deployments] == [{}, {}, {}]


def test_budget(terraform: Terraform, cloud: Cloud) -> None:
    """A no-op plan of 250 jobs takes three pages of one list and no single read."""
    jobs = {
        f"j{n}": {"workspace": "w", "namespace": "n", "name": f"j{n}", "sql": "SELECT 1", "state": "suspended"}
        for n in range(250)
    }
    (terraform.folder / "jobs.tf.json").write_text(json.dumps({"resource": {"flink_job": jobs}}))
    terraform.apply("")
    cloud.calls.clear()
    assert terraform.plan() == {}
    assert dict(cloud.calls) == {"ListDeployments": 3}


def test_upgraded_state(terraform: Terraform, cloud: Cloud) -> None:
    """A state that lacks an attribute, or has one that is no more, is read as what it says."""
    terraform.apply(JOB % ("SELECT 1", ""))
    path = terraform.folder / "terraform.tfstate"
    state = json.loads(path.read_text())
    attributes = state["resources"][0]["instances"][0]["attributes"]
    del attributes["restore_from"], attributes["state_verdict"]
    attributes["upgrade"] = None
    attributes["gone"] = "x"
    path.write_text(json.dumps(state))
    assert terraform.plan() == {}
    state["resources"][0]["instances"][0]["schema_version"] = 7
    path.write_text(json.dumps(state))
    assert "newer" in terraform.fails(command="plan").lower()
    del cloud


def test_interrupted(cloud: Cloud, tmp_path: Path) -> None:
    """Ctrl-C ends a wait at once; what was made is in state and not tainted, and the next plan goes on from it."""
    cloud.start_looks = 1_000_000

    def connect(_block: Values, stop: threading.Event) -> Session:
        return Session(client=cloud, lists=Lists(cloud), stop=stop)

    with plugin.reattach(Service(connect).methods, PROVIDER) as served:
        terraform = Terraform(tmp_path, {"TF_REATTACH_PROVIDERS": served.environment})
        terraform.write(JOB % ("SELECT 1", ""))
        with terraform.start("apply", "-input=false", "-auto-approve") as process:
            until(lambda: cloud.calls["GetJob"], "the wait")
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=30)[0]
        assert "stopped waiting" in said
        assert terraform.state()["flink_job.a"]["state"] == "running"
        cloud.start_looks = 1
        assert terraform.plan() == {}
        terraform.destroy()


def test_a_script_learns_what_an_error_is_about(terraform: Terraform, cloud: Cloud) -> None:
    """Of terraform's own box, about a stack written as JSON: address, attribute, operation, code and request id."""
    values = {"workspace": "w", "namespace": "n", "name": "a", "sql": "SELECT 1"}
    terraform.write("")
    (terraform.folder / "cdk.tf.json").write_text(json.dumps({"resource": {"flink_job": {"a": values}}}, indent=2))
    cloud.refused["CreateDeployment"] = Refused(
        "its cpu is used up", operation="CreateDeployment", code="1001", status=200, request_id="r-1", at=("namespace",)
    )
    said = terraform.run("apply", "-auto-approve", "-input=false", ok=(1,)).stdout
    (part,) = boxes.failure("shop", "apply", said).parts
    assert isinstance(part, Refused)
    assert (part.operation, part.code, part.request_id) == ("CreateDeployment", "1001", "r-1")
    assert part.at == ("shop", "flink_job.a", "namespace")
