"""The words of `flinkform history`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("history", help="show the releases of this environment, the newest first")
    parser.add_argument("--job", default="", metavar="NAMESPACE/NAME", help="only releases that changed this job")
    parser.add_argument("--limit", type=int, default=50, help="how many to show (default: %(default)s)")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("history"))
