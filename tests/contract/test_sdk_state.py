"""The real terraform keeps its states in the control plane: init, plan, apply, locks, wrong password."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from flinkform.cli.main import main
from tests.contract.served import Served, served

TERRAFORM = shutil.which(os.environ.get("TERRAFORM_BINARY_NAME", "terraform")) or shutil.which("tofu")
pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="neither terraform nor tofu is on PATH")

STACK = """
terraform {
  backend "http" {
    address        = "%(endpoint)s/state/dev/auction"
    lock_address   = "%(endpoint)s/state/dev/auction"
    unlock_address = "%(endpoint)s/state/dev/auction"
    lock_method    = "LOCK"
    unlock_method  = "UNLOCK"
  }
}
variable "text" { default = "one" }
resource "terraform_data" "job" {
  count = 3
  input = "${var.text} é %%{ if true }x%%{ endif }"
}
output "jobs" { value = terraform_data.job[*].output }
"""
LOCK = {"ID": "11111111-2222-3333-4444-555555555555", "Who": "ann@elsewhere", "Operation": "OperationTypeApply"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("home")) as running:
        yield running


class Terraform:
    """One working folder, with a key in its environment."""

    def __init__(self, folder: Path, plane: Served, *, secret: str = "") -> None:
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "HTTP", "http"))}
        self._environment = kept | {
            "TF_HTTP_USERNAME": plane.key.id,
            "TF_HTTP_PASSWORD": secret or plane.key.secret,
            "TF_IN_AUTOMATION": "1",
            "TF_CLI_ARGS": "-no-color",
            "CHECKPOINT_DISABLE": "1",
        }
        (folder / "main.tf").write_text(STACK % {"endpoint": plane.endpoint})

    def run(self, *words: str, code: int = 0) -> str:
        """Return what a command printed; fails unless it ended with *code*."""
        done = subprocess.run(
            [str(TERRAFORM), *words],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        return said


def send(plane: Served, method: str, body: object, address: str = "dev/auction") -> int:
    """Do to the state what another terraform would."""
    token = base64.b64encode(f"{plane.key.id}:{plane.key.secret}".encode()).decode()
    asked = Request(  # noqa: S310 -- the address is our own
        f"{plane.endpoint}/state/{address}",
        data=json.dumps(body).encode(),
        method=method,
        headers={"Authorization": f"Basic {token}"},
    )
    with urlopen(asked, timeout=10) as answer:  # noqa: S310 -- the same
        return int(answer.status)


def test_terraform_keeps_its_state_here(plane: Served, tmp_path: Path) -> None:
    """Apply writes the state, a fresh folder reads it back, a held lock keeps terraform out, destroy empties it."""
    terraform = Terraform(tmp_path, plane)
    terraform.run("init")
    assert "3 added" in terraform.run("apply", "-auto-approve")
    terraform.run("plan", "-detailed-exitcode")
    assert "3 to change" in terraform.run("plan", "-var=text=two")

    fresh = tmp_path / "fresh"
    fresh.mkdir()
    other = Terraform(fresh, plane)
    other.run("init")
    other.run("plan", "-detailed-exitcode")

    assert send(plane, "LOCK", LOCK) == 200
    said = terraform.run("apply", "-auto-approve", "-var=text=two", code=1)
    assert "Error acquiring the state lock" in said
    assert LOCK["ID"] in said.replace("\n", "")
    terraform.run("force-unlock", "-force", LOCK["ID"])
    assert "3 changed" in terraform.run("apply", "-auto-approve", "-var=text=two")
    assert "3 destroyed" in terraform.run("destroy", "-auto-approve")


def test_wrong_password_is_said(plane: Served, tmp_path: Path) -> None:
    """Terraform with a wrong secret reads nothing, and says what the matter is."""
    terraform = Terraform(tmp_path, plane, secret="wrong")
    assert "requires auth" in terraform.run("init", code=1)


def test_flinkform_lists_restores_and_unlocks(
    plane: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`flinkform state` shows versions and locks, brings a version back, and breaks a lock."""
    monkeypatch.setenv("FLINKFORM_ENDPOINT", plane.endpoint)
    monkeypatch.setenv("FLINKFORM_HOME", str(plane.home))
    for name in ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"):
        monkeypatch.delenv(name, raising=False)

    def said(*words: str, code: int = 0) -> str:
        assert main(["state", *words]) == code
        printed = capsys.readouterr()
        return printed.out + printed.err

    for serial in (1, 2):
        send(plane, "POST", {"version": 4, "serial": serial, "lineage": "l", "resources": []}, "dev/bids")
    send(plane, "LOCK", LOCK, "dev/bids")
    assert "ann@elsewhere" in said("list")
    assert [one["serial"] for one in json.loads(said("list", "dev/bids", "--json"))["versions"]] == [2, 1]
    assert "is locked by ann@elsewhere" in said("restore", "dev/bids", "1", code=1)
    assert "ann@elsewhere" in said("unlock", "dev/bids", "--id", LOCK["ID"])
    assert "is not locked" in said("unlock", "dev/bids", code=1)
    assert "is now version 3" in said("restore", "dev/bids", "1")
    assert "expected ENVIRONMENT/STACK" in said("restore", "bids", "1", code=1)
    assert "no state at dev/none" in said("list", "dev/none", code=1)
