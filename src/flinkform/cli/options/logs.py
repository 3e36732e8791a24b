"""The words of `flinkform logs`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.job import JOB
from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("logs", help="print a job's log")
    parser.add_argument("job", help=JOB)
    parser.add_argument("--follow", action="store_true", help="go on as it is written")
    parser.add_argument("--tail", type=int, default=65536, metavar="BYTES", help="start this far from the end")
    parser.set_defaults(run=later("logs"))
