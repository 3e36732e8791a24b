"""Every folder of `examples/` works as its README says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FLINKFORM = str(Path(sys.executable).with_name("flinkform"))

pytestmark = pytest.mark.skipif(
    not (shutil.which("java") and (shutil.which("terraform") or shutil.which("tofu"))),
    reason="needs java and terraform",
)


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Run one line of a README."""
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def shell() -> dict[str, str]:
    dropped = ("FLINKFORM_", "ALIBABA_CLOUD_", "TF_", "CDKTF_")
    return {k: v for k, v in os.environ.items() if not k.startswith(dropped)}


@pytest.fixture(scope="module")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`examples/minimal`, up."""
    folder = tmp_path_factory.mktemp("examples") / "minimal"
    shutil.copytree(ROOT / "examples" / "minimal", folder)
    try:
        run([FLINKFORM, "up"], folder, shell())
        yield folder
    finally:
        run([FLINKFORM, "down"], folder, shell())


def test_every_example_has_a_test() -> None:
    """An example that nothing runs is one that does not work."""
    assert {p.name for p in (ROOT / "examples").iterdir()} == {"hcl", "minimal"}


def test_minimal_greets(minimal: Path) -> None:
    """One job, RUNNING, with a log of its own; the next `up` changes nothing."""
    (job,) = json.loads(run([FLINKFORM, "status", "--json"], minimal, shell()))["jobs"]
    assert (job["namespace"], job["name"], job["state"]) == ("hello", "greetings", "RUNNING")
    assert "RUNNING" in run([FLINKFORM, "logs", "greetings"], minimal, shell())
    assert json.loads(run([FLINKFORM, "up", "--json"], minimal, shell()))["changed"] is False


def test_hcl_needs_no_constructs(minimal: Path, tmp_path: Path) -> None:
    """Plain terraform: apply, read through the data sources, plan empty, destroy."""
    folder = tmp_path / "hcl"
    shutil.copytree(ROOT / "examples" / "hcl", folder)
    environment = shell() | json.loads(run([FLINKFORM, "env", "--json"], minimal, shell()))
    terraform = environment["TERRAFORM_BINARY_NAME"]
    run([terraform, "init", "-input=false"], folder, environment)
    run([terraform, "apply", "-auto-approve", "-input=false"], folder, environment)
    said = json.loads(run([terraform, "output", "-json"], folder, environment))
    assert said["states"]["value"] == {"squares": "running", "cubes": "suspended"}
    assert said["default_engine"]["value"]
    run([terraform, "plan", "-detailed-exitcode", "-input=false"], folder, environment)
    run([terraform, "destroy", "-auto-approve", "-input=false"], folder, environment)
    assert "squares" not in run([FLINKFORM, "status", "--json"], minimal, shell())
