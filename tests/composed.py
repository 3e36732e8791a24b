"""What makes a folder of jobs a repository of flinkform's: as files, by their paths."""

from __future__ import annotations

from pathlib import Path

_MAIN = '''"""The entry of this repository: an environment in, Terraform stacks out."""

import gc
import os
from pathlib import Path

from flinkform_constructs import App
from stacks import declare

gc.disable()  # Everything made here is written and then left: there is nothing to collect.
app = App()
declare(app, Path(__file__).parent, os.environ)
app.synth()
gc.freeze()  # Not at the end either.
'''
_STACKS = '''"""One stack for the workspace, one for each team's namespace, and one for each folder of its jobs."""

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from flinkform import jobfile
from flinkform_constructs import App, FlinkProvider, JobsStack, Namespace, StateBackend, Workspace, cdk


def declare(app: App, root: Path, shell: Mapping[str, str]) -> None:
    """Put every stack of the environment that FLINKFORM_ENVIRONMENT names below *app*."""
    name = shell.get("FLINKFORM_ENVIRONMENT") or "dev"
    environment = jobfile.environment(root / "environments" / f"{name}.yaml")
    values = {key: value for key, value in environment.workspace.items() if key != "region"}
    common = framed(cdk.TerraformStack(app, "workspace"), environment, shell)
    workspace = Workspace(common, "main", **values)
    jobs = jobfile.load(root / "jobs", environment=environment)
    for team, theirs in groupby(jobs, key=lambda job: job.namespace):
        own = framed(cdk.TerraformStack(app, f"{team}-namespace"), environment, shell)
        wanted = environment.namespaces.get(team, {})
        Namespace(own, "namespace", workspace_id=workspace.id, name=team, **wanted)
        split = JobsStack.split(app, team, tuple(theirs), workspace=workspace.resource_id, namespace=team)
        for stack in split.values():
            framed(stack, environment, shell).add_dependency(own)


def framed(
    stack: cdk.TerraformStack, environment: jobfile.Environment, shell: Mapping[str, str]
) -> cdk.TerraformStack:
    """Return the stack with a place for its state and a provider; who signs in is left to the shell."""
    endpoint = shell.get("FLINKFORM_ENDPOINT") or "http://127.0.0.1:8711"
    StateBackend.control_plane(endpoint, environment=environment.name).keep(stack)
    FlinkProvider(
        stack,
        region=environment.workspace.get("region"),
        endpoints={"console": endpoint, "ververica": endpoint},
        commit=shell.get("FLINKFORM_COMMIT") or None,
        release=shell.get("FLINKFORM_RELEASE") or None,
    )
    return stack
'''
_ENVIRONMENT = """workspace:
  name: monorepo
  region: cn-hangzhou
  cpu: 100
  vpc_id: vpc
  vswitch_ids: [vsw]
  bucket: monorepo
jobs:
  - match: ["**"]
    state: suspended
"""
FILES = {
    "main.py": _MAIN,
    "stacks/__init__.py": _STACKS,
    "environments/dev.yaml": _ENVIRONMENT,
    "cdktf.json": '{"language": "python", "app": "python main.py", "projectId": "monorepo"}\n',
    ".gitignore": ".flinkform/\ncdktf.out/\n__pycache__/\n",
}


def compose(root: Path) -> None:
    """Write them into *root*."""
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
