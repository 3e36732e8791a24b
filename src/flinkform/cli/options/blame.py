"""The words of `flinkform blame`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("blame", help="say which commit a job's definition comes from")
    parser.add_argument("job", help="NAME, NAMESPACE/NAME or its deployment id")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("blame"))
