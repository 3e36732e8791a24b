"""The words of `flinkform ci`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("ci", help="write the pipelines anew from flinkform.yaml and the environments")
    parser.add_argument("--check", action="store_true", help="write nothing, fail where one is not as it would be")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("ci"))
