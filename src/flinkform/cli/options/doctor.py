"""The words of `flinkform doctor`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("doctor", help="say which programs were found, what is missing and what to do")
    parser.add_argument("--install", action="store_true", help="install what is missing and a package can bring")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("doctor"))
