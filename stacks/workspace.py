"""The stack with the workspace that all teams share."""

from __future__ import annotations

from flinkform_constructs import App, Workspace, cdk
from stacks.frame import frame
from stacks.setting import Setting

NAME = "workspace"


class WorkspaceStack(cdk.TerraformStack):
    """One workspace, as the environment says."""

    def __init__(self, app: App, setting: Setting) -> None:
        super().__init__(app, NAME)
        frame(self, setting)
        values = {key: value for key, value in setting.environment.workspace.items() if key != "region"}
        self.workspace = Workspace(self, "main", **values)
