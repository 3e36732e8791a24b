"""The words of `flinkform status`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("status", help="show the jobs and where they are")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("status"))
