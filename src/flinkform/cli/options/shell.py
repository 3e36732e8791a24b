"""The words of `flinkform env`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("env", help="print what a shell needs for plain terraform and cdktf")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("shell"))
