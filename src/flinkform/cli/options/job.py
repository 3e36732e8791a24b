"""The words of `flinkform job`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later

JOB = "NAME, NAMESPACE/NAME or a deployment id"
"""How other commands take a job."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("job", help="show a job's values and where each was written")
    parser.add_argument("job", help="NAME, NAMESPACE/NAME or the path of its .sql or .jar.yaml file")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("job"))
