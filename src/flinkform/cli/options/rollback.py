"""The words of `flinkform rollback`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("rollback", help="go back to the job files of an older commit, by a commit of its own")
    parser.add_argument("--to", required=True, metavar="REF", help="the commit whose job files shall be again")
    parser.add_argument("--job", action="append", default=[], metavar="PATH", help="only this job, as bids/daily/top")
    parser.add_argument("--out", type=Path, metavar="FILE", help="commit, and write the release; without it nothing is")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("rollback"))
