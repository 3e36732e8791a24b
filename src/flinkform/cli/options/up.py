"""The words of `flinkform up`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("up", help="bring every job of this repository to the state it asks for")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("up"))
