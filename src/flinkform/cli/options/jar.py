"""The words of `flinkform jar`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("jar", help="bring a jar to a bucket, and print what a job file says of it")
    parser.add_argument("file", type=Path, metavar="FILE", help="the jar")
    parser.add_argument("location", metavar="LOCATION", help="a folder of a bucket: s3://BUCKET/FOLDER or oss://...")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("jar"))
