"""The words of `flinkform init`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.later import later

HOSTS = ("github", "gitlab", "jenkins")
"""Those that `ci` of the settings may name."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("init", help="begin an infrastructure repository in an empty folder or Git repository")
    parser.add_argument("folder", nargs="?", default=Path(), type=Path, help="default: the working directory")
    parser.add_argument("--name", default="", help="what workspaces are called after; default: the folder's name")
    parser.add_argument("--ci", nargs="+", choices=HOSTS, default=HOSTS, help="whose pipelines; default: all")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("init"))
