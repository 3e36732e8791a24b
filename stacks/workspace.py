"""The stack with the workspace that all teams share."""

from __future__ import annotations

from flinkform_constructs import App, Workspace, cdk
from stacks.frame import frame
from stacks.setting import Setting

NAME = "workspace"
_NEEDED = ("name", "vpc_id", "vswitch_ids", "bucket")


class WorkspaceStack(cdk.TerraformStack):
    """One workspace, as the environment says."""

    def __init__(self, app: App, setting: Setting) -> None:
        super().__init__(app, NAME)
        frame(self, setting)
        values = {key: value for key, value in setting.environment.workspace.items() if key != "region"}
        # What the environment does not say is refused by the construct, which names it.
        self.workspace = Workspace(self, "main", **{**dict.fromkeys(_NEEDED), **values})
