"""The reference infrastructure: one workspace stack, and one stack for every team that owns a folder of `jobs/`."""

from __future__ import annotations

from flinkform_constructs import App
from stacks.setting import Setting
from stacks.team import Team, teams
from stacks.workspace import WorkspaceStack

__all__ = ["Setting", "Team", "WorkspaceStack", "declare"]


def declare(app: App, setting: Setting) -> None:
    """Put every stack of *setting* below *app*."""
    workspace = WorkspaceStack(app, setting).workspace
    for team, jobs in teams(setting).items():
        Team(app, team, setting, workspace=workspace, jobs=jobs)
