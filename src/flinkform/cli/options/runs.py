"""The words of `flinkform runs`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.job import JOB
from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("runs", help="show what a job ran, from which state to which, and how it ended")
    parser.add_argument("job", help=JOB)
    parser.add_argument("--limit", type=int, default=20, metavar="RUNS", help="show that many, newest first")
    parser.add_argument("--sql", type=int, metavar="RUN", help="print the script of that run instead")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("runs"))
