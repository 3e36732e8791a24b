"""One stack for the workspace, and one for each team that owns a folder of `jobs/`."""

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from flinkform import jobfile
from flinkform_constructs import App, FlinkProvider, JobFolder, Namespace, StateBackend, Workspace, cdk


def declare(app: App, root: Path, shell: Mapping[str, str]) -> None:
    """Put every stack of the environment that FLINKFORM_ENVIRONMENT names below *app*."""
    name = shell.get("FLINKFORM_ENVIRONMENT") or "dev"
    environment = jobfile.environment(root / "environments" / f"{name}.yaml")
    values = {key: value for key, value in environment.workspace.items() if key != "region"}
    workspace = Workspace(_stack(app, "workspace", environment, shell), "main", **values)
    jobs = jobfile.load(root / "jobs", environment=environment)
    for team, theirs in groupby(jobs, key=lambda job: job.namespace):
        stack = _stack(app, team, environment, shell)
        wanted = environment.namespaces.get(team, {})
        namespace = Namespace(stack, "namespace", workspace_id=workspace.id, name=team, **wanted)
        JobFolder(stack, "jobs", tuple(theirs), workspace=workspace.resource_id, namespace=namespace.name)


def _stack(app: App, name: str, environment: jobfile.Environment, shell: Mapping[str, str]) -> cdk.TerraformStack:
    """Return a stack with a place for its state and a provider; who signs in is left to the shell."""
    stack = cdk.TerraformStack(app, name)
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
