"""The stack of one team: its namespace, and the jobs of its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from flinkform import jobfile
from flinkform.errors import Invalid
from flinkform_constructs import App, JobFolder, Namespace, Workspace, cdk
from stacks.frame import frame
from stacks.setting import Setting
from stacks.workspace import NAME


class Team(cdk.TerraformStack):
    """A namespace of the team's name in *workspace*, and *jobs* in it."""

    def __init__(
        self, app: App, name: str, setting: Setting, *, workspace: Workspace, jobs: Sequence[jobfile.Job]
    ) -> None:
        super().__init__(app, name)
        frame(self, setting)
        values = setting.environment.namespaces.get(name, {})
        namespace = Namespace(self, "namespace", workspace_id=workspace.id, name=name, **values)
        JobFolder(self, "jobs", jobs, workspace=workspace.resource_id, namespace=namespace.name)


def teams(setting: Setting) -> Mapping[str, Sequence[jobfile.Job]]:
    """Return the jobs of every top folder of `jobs/`; raises `Invalid` where a team's name is taken."""
    jobs = jobfile.load(setting.root / "jobs", environment=setting.environment)
    found = {team: tuple(theirs) for team, theirs in groupby(jobs, key=lambda job: job.namespace)}
    for team in found:
        if team.casefold() == NAME:
            raise Invalid(f"jobs/{team}: a team cannot be called {NAME}, as its stack is", advice="rename the folder")
    return found
