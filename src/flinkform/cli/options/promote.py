"""The words of `flinkform promote`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("promote", help="release to an environment what another one runs")
    parser.add_argument("source", metavar="FROM")
    parser.add_argument("target", metavar="TO")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write the release")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("promote"))
