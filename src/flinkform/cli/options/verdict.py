"""The words of `flinkform verdict`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("verdict", help="say what an edit of a job's SQL does to its state")
    parser.add_argument("old", type=Path, metavar="OLD.sql", help="the script that runs")
    parser.add_argument("new", type=Path, metavar="NEW.sql", help="the script that is to run")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="a Flink option of both")
    parser.add_argument("--engine", default="", metavar="VERSION", help="the release of Flink that runs both, as 1.20")
    parser.add_argument("--old-engine", metavar="VERSION", help="the release that runs OLD.sql, if it is another one")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("verdict"))
