"""A checkout with a control plane of its own: what `flinkform up` does, step by step, for a test to look at."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from flinkform.cli import server, shell, stacks, status, synth, tools
from flinkform.cli.progress import Progress
from flinkform.cli.project import Project
from flinkform.cli.stacks import Stack, Terraform
from flinkform.controlplane import home
from flinkform.provider import build
from flinkform.testing.plans import Plan

_QUIET = ("FLINKFORM_", "ALIBABA_CLOUD_", "TF_", "CDKTF_")
_CHOSEN = ("FLINKFORM_ENVIRONMENT", "TERRAFORM_BINARY_NAME")
"""What a developer's shell says of another control plane, another account or another output folder."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A checkout whose control plane is up; every method raises FlinkformError as the command does."""

    project: Project

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to work on it: endpoint, credentials, tools, as `flinkform env` prints them."""
        return {**self.project.shell, **shell.variables(self.project)}

    def synth(self) -> tuple[Stack, ...]:
        """Run `main.py`; each stack's `folder` holds its `cdk.tf.json`."""
        return synth.synthesise(
            self.project, {**self.environment, "CDKTF_OUTDIR": str(self.project.home / "cdktf.out")}
        )

    def plan(self, *names: str) -> Plan:
        """Synthesise and plan the stacks called *names*, or all; the order is that of the names."""
        found = Plan(())
        for stack in self.synth():
            if not names or stack.name in names:
                found += self._plan(stack)
        return found

    def apply(self) -> None:
        """Synthesise, plan and apply every stack, in the order they need one another."""
        stacks.apply_all(self._terraform, self.synth(), self.project.home / "plans", lambda _: None)

    def jobs(self) -> list[dict[str, Any]]:
        """Return every job as `flinkform status --json` does."""
        return list(status.read(self.project)["jobs"])

    @property
    def _terraform(self) -> Terraform:
        return Terraform(tools.terraform(self.project.shell).require(), self.environment)

    def _plan(self, stack: Stack) -> Plan:
        terraform, file = self._terraform, self.project.home / "plans" / f"{stack.name}.tfplan"
        file.parent.mkdir(mode=0o700, exist_ok=True)
        stacks.initialise(terraform, stack)
        try:
            terraform.run(stack, "plan", "-input=false", "-no-color", f"-out={file}")
            _, shown = terraform.run(stack, "show", "-json", str(file))
        finally:
            file.unlink(missing_ok=True)  # it holds every value of the stack
        return Plan.of(stack.name, json.loads(shown))


def bare(variables: Mapping[str, str]) -> dict[str, str]:
    """Return a shell without what it says of Terraform, the CDK and any control plane."""
    kept = {name: value for name, value in variables.items() if not name.startswith(_QUIET)}
    return kept | {name: value for name, value in variables.items() if name == "FLINKFORM_ARCHIVE"}


@contextmanager
def opened(root: Path, folder: Path, *, variables: Mapping[str, str]) -> Iterator[Repository]:
    """Start a control plane with its home in *folder* for the checkout at *root*, and stop it at the end.

    Of *variables*, the shell, what speaks of another control plane is left out.
    """
    chosen = {name: value for name, value in variables.items() if name in _CHOSEN}
    here = Project(root, folder, bare(variables) | chosen)
    home.prepare(here.home)
    with Progress(out=StringIO()).step("control plane") as step:
        server.ensure(here, step, port=0)
    try:
        build.install(here.home)
        yield Repository(here)
    finally:
        server.stop(here)
