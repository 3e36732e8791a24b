"""The words of `flinkform approve`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("approve", help="sign a release that somebody else has made")
    parser.add_argument("release", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("approve"))
