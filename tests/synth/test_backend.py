"""Where states are kept: addresses that two environments do not share, and no credentials."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flinkform.cli import bucket
from flinkform_constructs import StateBackend, cdk

Synth = Callable[..., dict[str, Any]]


def test_the_control_plane(stack: Any, synth: Synth) -> None:
    """One address for state and lock, with environment and stack in it."""
    StateBackend.control_plane("http://127.0.0.1:1/", environment="dev").keep(stack)
    address = "http://127.0.0.1:1/state/dev/s"
    assert synth()["terraform"]["backend"] == {
        "http": {
            "address": address,
            "lock_address": address,
            "lock_method": "LOCK",
            "unlock_address": address,
            "unlock_method": "UNLOCK",
        }
    }


def test_a_bucket(stack: Any, synth: Synth) -> None:
    """Encrypted, locked by a file in the bucket, and without a key."""
    StateBackend.s3("states", environment="prod", region="eu-central-1").keep(stack)
    assert synth()["terraform"]["backend"] == {
        "s3": {
            "bucket": "states",
            "encrypt": True,
            "key": "flinkform/prod/s.tfstate",
            "region": "eu-central-1",
            "use_lockfile": True,
        }
    }


def test_terraform_keeps_and_locks_a_state_in_a_bucket(
    stack: Any, synth: Synth, s3: Callable[[], Any], terraform: str, tmp_path: Path
) -> None:
    """Real Terraform on an S3 server: the state lands under its key, and a lock that is held stops the next run."""
    place = s3()
    bucket.ensure(place.name, region="us-east-1")
    StateBackend.s3(place.name, environment="prod", region="us-east-1").keep(stack)
    cdk.TerraformOutput(stack, "answer", value="42")
    written = {key: value for key, value in synth().items() if key in ("output", "terraform")}
    written["terraform"].pop("required_providers")
    (tmp_path / "main.tf.json").write_text(json.dumps(written))
    (tmp_path / "terraform.rc").touch()

    def run(*words: str) -> tuple[int, str]:
        shell = {**os.environ, "TF_CLI_CONFIG_FILE": str(tmp_path / "terraform.rc"), "CHECKPOINT_DISABLE": "1"}
        command = [terraform, f"-chdir={tmp_path}", *words]
        done = subprocess.run(command, env=shell, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    # What a server that is not AWS itself takes: it has no accounts to ask after.
    small = ("skip_credentials_validation", "skip_requesting_account_id", "skip_metadata_api_check", "use_path_style")
    assert run("init", *(f"-backend-config={name}=true" for name in small))[0] == 0
    assert run("apply", "-auto-approve")[0] == 0
    assert place.keys == ["flinkform/prod/s.tfstate"]
    place.put("flinkform/prod/s.tfstate.tflock")
    code, said = run("plan")
    assert code == 1
    assert "Error acquiring the state lock" in said
