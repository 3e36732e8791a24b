"""Real terraform runs against a provider served from the test's own process: breakpoints and fakes work in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

PROGRAM = shutil.which(os.environ.get("TERRAFORM_BINARY_NAME", "terraform")) or ""
EMPTY, CHANGES = 0, 2
"""What `plan -detailed-exitcode` ends with."""

HEADER = """
terraform {
  required_providers {
    flink = { source = "flinkform.io/flinkform/flink" }
  }
}
"""


@dataclass
class Terraform:
    """A folder with a configuration and its state."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    rc: Path | None = None
    """The CLI configuration; an empty one if there is none."""

    def run(self, *words: str, ok: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        """Run one command; any exit code not in *ok* fails the test."""
        with self.start(*words) as process:
            out, _ = process.communicate(timeout=120)
        if process.returncode not in ok and 'argument named "ephemeral" is not expected' in out:
            pytest.skip("this core has no ephemeral values: OpenTofu has them from 1.11")
        assert process.returncode in ok, f"terraform {' '.join(words)}: {process.returncode}\n{out}"
        return subprocess.CompletedProcess(process.args, process.returncode, out)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start one command; what it says comes through one pipe, errors too."""
        rc = self.rc or self.folder / "terraform.rc"
        rc.touch()
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "ALIBABA_CLOUD_", "FLINKFORM_"))}
        told = {"TF_CLI_CONFIG_FILE": str(rc), "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"}
        plain = words[0] in ("state", "providers")
        return subprocess.Popen(
            [PROGRAM, *words] if plain else [PROGRAM, words[0], "-no-color", *words[1:]],
            cwd=self.folder,
            env={**kept, **told, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def write(self, text: str) -> None:
        """Make *text* the configuration."""
        (self.folder / "main.tf").write_text(HEADER + text)

    def plan(self, *words: str) -> dict[str, list[str]]:
        """Plan, and return the actions by address; nothing at all for an empty plan."""
        done = self.run("plan", "-input=false", "-detailed-exitcode", "-out=plan", *words, ok=(EMPTY, CHANGES))
        shown = json.loads(self.run("show", "-json", "plan").stdout)
        found = {c["address"]: c["change"]["actions"] for c in shown.get("resource_changes", [])}
        changes = {address: actions for address, actions in found.items() if actions not in (["no-op"], ["read"])}
        assert bool(changes) is (done.returncode == CHANGES) or shown.get("output_changes"), done.stdout
        return changes

    def apply(self, text: str | None = None, *, expect: Mapping[str, list[str]] | None = None) -> dict[str, Any]:
        """Apply; check that what was planned was *expect* and that the next plan is empty; return the state."""
        if text is not None:
            self.write(text)
        planned = self.plan()
        if expect is not None:
            assert planned == dict(expect)
        self.run("apply", "-input=false", "plan")
        assert self.plan() == {}
        return self.state()

    def fails(self, text: str | None = None, *, command: str = "apply") -> str:
        """Return what a command that has to fail says, in one line without its frame."""
        if text is not None:
            self.write(text)
        words = ("-input=false", "-auto-approve") if command in ("apply", "destroy") else ("-input=false",)
        done = self.run(command, *(words if command != "validate" else ()), ok=(1,))
        return told(done.stdout)

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the values of every resource and data source by address."""
        root = json.loads(self.run("show", "-json").stdout).get("values", {}).get("root_module", {})
        return {r["address"]: r["values"] for r in root.get("resources", [])}

    def destroy(self) -> None:
        """Destroy everything."""
        self.run("destroy", "-input=false", "-auto-approve")


def told(text: str) -> str:
    """Return terraform's words without frames and line breaks."""
    return re.sub(r"[\s│╷╵]+", " ", text)
