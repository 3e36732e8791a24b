"""The words of `flinkform release`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.later import later
from flinkform.cli.options.plan import revisions


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("release", help="plan a commit, and sign the plan as a file to be applied")
    revisions(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write the release")
    parser.add_argument("--if-changed", action="store_true", help="write nothing and succeed where nothing differs")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("release"))
