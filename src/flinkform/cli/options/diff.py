"""The words of `flinkform diff`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("diff", help="show what differs between two environments")
    parser.add_argument("one", metavar="ENVIRONMENT")
    parser.add_argument("other", metavar="ENVIRONMENT")
    parser.add_argument("--at", default="HEAD", metavar="REF", help="the commit (default: %(default)s)")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("diff"))
