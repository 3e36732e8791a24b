"""The words of `flinkform export`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("export", help="write job files and imports for a namespace that exists")
    parser.add_argument("namespace")
    parser.add_argument("folder", type=Path, help="what to write to; it must not be there, or be empty")
    parser.add_argument("--workspace", default="", metavar="NAME_OR_ID", help="needed where there are several")
    parser.add_argument("--region", default="", help="of Alibaba Cloud; left out: the control plane of `up`")
    parser.add_argument("--environment", default="dev", metavar="NAME", help="what to call it (default: dev)")
    parser.add_argument(
        "--skip", action="store_true", help="leave out the jobs that no job file can say, and name them"
    )
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("export"))
