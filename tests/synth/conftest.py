"""One app and one stack for a test, and the ways to look at what they become."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from flinkform_constructs import App, FlinkProvider, Job, Scope, cdk

Document = dict[str, Any]


@pytest.fixture
def app(tmp_path: Path) -> App:
    """Our own app, which writes to `tmp_path/out`."""
    return App(outdir=tmp_path / "out")


@pytest.fixture
def stock(tmp_path: Path) -> Callable[[], cdk.App]:
    """Make the CDK's own app for tests; left to itself it leaves a folder behind."""
    return lambda: cdk.Testing.app(outdir=mkdtemp(dir=tmp_path))


@pytest.fixture
def stack(app: App) -> cdk.TerraformStack:
    """A stack with a provider."""
    stack = cdk.TerraformStack(app, "s")
    FlinkProvider(stack)
    return stack


@pytest.fixture
def job() -> Callable[..., Job]:
    """Make a job with what every job needs."""

    def make(scope: Scope, id: str = "j", **given: Any) -> Job:  # noqa: A002 - the CDK's word
        needed: dict[str, Any] = {"workspace": "w", "namespace": "n", "name": "j", "sql": "SELECT 1"}
        return Job(scope, id, **{**needed, **given})

    return make


@pytest.fixture
def synth(app: App) -> Callable[..., Document]:
    """Write the app and return what a stack became."""

    def write(name: str = "s") -> Document:
        app.synth()
        return json.loads((app.target / "stacks" / name / "cdk.tf.json").read_bytes())

    return write


@pytest.fixture
def terraform() -> str:
    """The terraform program, where the machine has one."""
    program = os.environ.get("TERRAFORM_BINARY_NAME") or shutil.which("terraform") or shutil.which("tofu")
    if not program:
        pytest.skip("no terraform on this machine")
    return program
