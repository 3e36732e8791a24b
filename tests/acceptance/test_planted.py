"""Secrets planted in every sensitive place, and a search of all that is kept, logged, answered and shown for them."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli.main import main
from flinkform.errors import FlinkformError
from flinkform.provider.connect import connect
from flinkform.provider.protocol import plugin
from flinkform.provider.service import Service
from flinkform.provider.session import Session
from flinkform.provider.values import Values
from flinkform.resources import PROVIDER
from tests.acceptance.terraform import PROGRAM, Terraform
from tests.acceptance.test_nouns import places
from tests.contract.process import Process, running
from tests.contract.served import until

pytestmark = pytest.mark.skipif(not PROGRAM, reason="needs terraform")

VISIBLE = "a-visible-description"
"""What is no secret and stands beside one: where it is not found, nothing was searched."""
VALUES = {name: f"planted-{name}-7f3a9" for name in ("applied", "changed", "sent", "refused", "database", "wrong")}
STACK = """
terraform {
  backend "http" {
    address        = "%(endpoint)s/state/dev/planted"
    lock_address   = "%(endpoint)s/state/dev/planted"
    lock_method    = "LOCK"
    unlock_address = "%(endpoint)s/state/dev/planted"
    unlock_method  = "UNLOCK"
  }
}
variable "password" {
  type      = string
  ephemeral = true
}
variable "key_secret" {
  type      = string
  ephemeral = true
}
variable "security_token" {
  type      = string
  ephemeral = true
}
provider "flink" {
  access_key_id     = "%(key)s"
  access_key_secret = var.key_secret
  security_token    = var.security_token
}
resource "flink_variable" "password" {
  workspace     = "%(workspace)s"
  namespace     = "main-default"
  name          = "password"
  value         = var.password
  value_version = %(version)d
  description   = "a-visible-description"
}
resource "flink_session_cluster" "shared" {
  workspace     = "%(workspace)s"
  namespace     = "main-default"
  name          = "shared"
  state         = "stopped"
}
resource "flink_job" "reader" {
  workspace   = "%(workspace)s"
  namespace   = "main-default"
  name        = "reader"
  state       = "suspended"
  description = "a-visible-description"
  sql         = <<-SQL
    CREATE TABLE a (b INT) WITH ('connector' = 'x', 'pass' = '$${secret_values.${flink_variable.password.name}}');
    CREATE TABLE c (b INT) WITH ('connector' = 'blackhole');
    INSERT INTO c SELECT b FROM a;
  SQL
}
data "flink_variables" "all" {
  workspace  = "%(workspace)s"
  namespace  = "main-default"
  depends_on = [flink_variable.password]
}
"""


class Ground:
    """A control plane of its own process that logs all it can, the keys it gave away, and everything that was said."""

    def __init__(self, folder: Path, process: Process, capture: pytest.CaptureFixture[str]) -> None:
        self.folder, self.process, self.capture = folder, process, capture
        self.said: list[str] = []
        self.secrets = dict(VALUES)
        key, secret = process.key
        self.secrets |= {"root": secret, "basic": base64.b64encode(f"{key}:{secret}".encode()).decode()}
        self.client = process.client()
        self.place = self._workspace()

    def _workspace(self) -> dict[str, str]:
        storage = {"Oss": {"Bucket": "b"}}
        asked = {"InstanceName": "main", "ChargeType": "POST", "VpcId": "v", "VSwitchIds": ["s"], "Storage": storage}
        instance = self.client.call("CreateInstance", asked)["OrderInfo"]["InstanceId"]
        until(lambda: self._settled(instance), "the default namespace")
        (shown,) = self.client.call("DescribeInstances", {"InstanceId": instance})["Instances"]
        return {"workspace": shown["ResourceId"], "namespace": "main-default"}

    def _settled(self, instance: str) -> bool:
        found = self.client.call("DescribeNamespaces", {"InstanceId": instance})["Namespaces"]
        return bool(found) and found[0]["Status"] == "SUCCESS"

    def command(self, *words: str) -> str:
        """Run a command of ours, whose words are kept unless they are what it may show once."""
        self.capture.readouterr()
        assert main(words) == 0, words
        out, err = self.capture.readouterr()
        if words[1:2] != ("create",):
            self.said.append(out + err)
        return out

    def refused(self, operation: str, body: Any = None, **params: str) -> None:
        """Call what has to fail, and keep what is said."""
        with pytest.raises(FlinkformError) as error:
            self.client.call(operation, {**self.place, **params}, body)
        self.said += [str(error.value), repr(error.value), error.value.advice]


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Ground]:
    (tmp_path / "cdktf.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    with running(Process(tmp_path / "home", environment={"FLINKFORM_LOG_LEVEL": "debug"})) as process:
        key, secret = process.ready().key
        monkeypatch.setenv("FLINKFORM_HOME", str(process.home))
        monkeypatch.setenv("FLINKFORM_ENDPOINT", process.endpoint)
        monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", key)
        monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret)
        yield Ground(tmp_path, process, capsys)


@pytest.fixture
def terraform(ground: Ground) -> Iterator[Terraform]:
    """Terraform that signs with a temporary key and keeps its state in the control plane."""
    folder = ground.folder / "terraform"
    folder.mkdir()
    key = json.loads(ground.command("token", "create", "sts", "--json"))
    bearer = json.loads(ground.command("token", "create", "bearer", "--json"))
    other = json.loads(ground.command("key", "create", "--json"))
    ground.secrets |= {
        "temporary": key["access_key_secret"],
        "token": key["security_token"],
        "bearer": bearer["bearer_token"],
        "other": other["access_key_secret"],
    }
    sessions: list[Session] = []
    environment = {"FLINKFORM_ENDPOINT": ground.process.endpoint}

    def connected(block: Values, stop: threading.Event) -> Session:
        sessions.append(connect(block, stop, environment=environment))
        return sessions[-1]

    root, secret = ground.process.key
    with plugin.reattach(Service(connected).methods, PROVIDER) as provider:
        variables = {
            "TF_REATTACH_PROVIDERS": provider.environment,
            "TF_HTTP_USERNAME": root,
            "TF_HTTP_PASSWORD": secret,
            "TF_VAR_password": VALUES["applied"],
            "TF_VAR_key_secret": key["access_key_secret"],
            "TF_VAR_security_token": key["security_token"],
            "TF_LOG": "TRACE",
            "TF_LOG_PATH": str(folder / "trace.log"),
        }
        ground.place["key"] = key["access_key_id"]
        yield Terraform(folder, variables)
    for session in sessions:
        session.client.close()  # type: ignore[attr-defined]


def applied(ground: Ground, terraform: Terraform) -> None:
    """Make, change and read things that hold secrets; keep what Terraform tells of them."""
    about = {"endpoint": ground.process.endpoint, "key": ground.place.pop("key"), **ground.place}
    terraform.write(STACK % {**about, "version": 1})
    terraform.run("init", "-input=false")
    terraform.apply(STACK % {**about, "version": 1})
    terraform.variables["TF_VAR_password"] = VALUES["changed"]  # type: ignore[index]
    terraform.apply(STACK % {**about, "version": 2}, expect={"flink_variable.password": ["update"]})
    wrong = (STACK % {**about, "version": 3}).replace('"password"\n  value ', '"?"\n  value ')
    ground.said.append(terraform.fails(wrong))
    terraform.write(STACK % {**about, "version": 2})
    ground.said += [terraform.run(*words).stdout for words in (("show", "-json"), ("show", "-json", "plan"))]
    ground.said.append(terraform.run("state", "pull").stdout)


def mistaken(ground: Ground) -> None:
    """Send secrets in requests that are refused, for every reason that there is."""
    sent, refused = VALUES["sent"], VALUES["refused"]
    ground.client.call("CreateVariable", ground.place, {"name": "sent", "kind": "Encrypted", "value": sent})
    for body in (
        {"name": "sent", "kind": "Encrypted", "value": refused},
        {"name": "?", "kind": "Encrypted", "value": refused},
        {"name": "a", "kind": "Secret", "value": refused},
        {"name": "a", "kind": "Encrypted", "value": [refused]},
        {"name": "a", "kind": "Encrypted", "value": f"{refused}\0"},
        {"name": "a", "kind": "Encrypted", "value": {"value": refused}},
        {"name": "a", "kind": "Encrypted", "value": refused, "unknown": refused},
    ):
        ground.refused("CreateVariable", body)
    ground.refused("UpdateVariable", {"value": refused}, name="nobody")
    jar = {"kind": "JAR", "jarArtifact": {"jarUri": f"https://me:{refused}@example.com/a.jar"}}
    usual = {"mode": "PER_JOB", "name": "default-queue"}
    ground.refused("CreateDeployment", {"name": "j", "artifact": jar, "deploymentTarget": usual})
    named = {"s3.secret-key": "${secret_values.sent}"}
    ground.refused("UpdateSessionCluster", {"flinkConf": named}, sessionClusterName="shared")
    key, _ = ground.process.key
    for whose in ((key, VALUES["wrong"]), (VALUES["wrong"], "x")):
        ground.said += [text for _, text in (ground.process.send("GET", "/flinkform/v1/states", whose),)]
    cut = b'{"value": "' + refused.encode()
    ground.said.append(ground.process.send("POST", "/api/v2/namespaces/main-default/variables", None, cut)[1])


def asked(ground: Ground) -> None:
    """Ask for whatever the API and the commands tell."""
    for operation in ("ListVariables", "ListDeployments", "GetEvents", "ListSessionClusters"):
        ground.said.append(json.dumps(list(ground.client.pages(operation, ground.place))))
    for words in (
        ("show", "variables"),
        ("show", "variables", "password"),
        ("show", "jobs", "--json"),
        ("show", "events", "--json"),
        ("status", "--json"),
        ("audit", "--limit", "0", "--json"),
        ("audit", "verify"),
        ("key", "list", "--json"),
        ("token", "list", "--json"),
        ("state", "list", "dev/planted", "--json"),
    ):
        assert ground.command(*words).strip(), words
    ground.said.append(ground.process.get("/state/dev/planted", ground.process.key)[1])


def test_no_secret_is_told(ground: Ground, terraform: Terraform) -> None:
    """State, plans, traces, logs, events, audit log, database, answers and errors hold none of what was planted."""
    applied(ground, terraform)
    mistaken(ground)
    asked(ground)
    database = {"FLINKFORM_DATABASE_URL": f"postgresql://me:{VALUES['database']}@127.0.0.1:1/none"}
    with running(Process(ground.folder / "other", environment=database)) as lost:
        assert lost.popen.wait(60) != 0
    assert "127.0.0.1" in lost.err.read_text()
    assert ground.process.end() == 0

    told = "\n".join(ground.said)
    assert VISIBLE in told
    searched = [ground.folder / "terraform", ground.process.home]
    assert all(places(folder, VISIBLE) for folder in searched)
    credentials = ground.process.home / "credentials.json"
    assert credentials.stat().st_mode & 0o077 == 0
    for name, secret in ground.secrets.items():
        assert secret not in told, name
        found = places(ground.folder, secret)
        assert found == ([str(credentials)] if name == "root" else []), name
