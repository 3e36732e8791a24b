"""The words of `flinkform down`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("down", help="stop what `up` started")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("down"))
