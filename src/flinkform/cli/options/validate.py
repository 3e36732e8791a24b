"""The words of `flinkform validate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.later import later

FORMATS = ("text", "json", "junit", "sarif", "sonar")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("validate", help="check job files with Flink's own planner, without a server")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("paths", nargs="*", default=[], type=Path, help="scripts or folders of them; default: all jobs")
    what.add_argument("--since", default="", metavar="REF", help="only jobs that differ from there, as `origin/main`")
    parser.add_argument("--json", action="store_true", help="the same as --format json")
    parser.add_argument("--format", action="append", choices=FORMATS, help="how to write what was found")
    parser.add_argument(
        "--out", action="append", default=[], type=Path, metavar="FILE", help="where to; one for each --format"
    )
    parser.set_defaults(run=later("validate"))
