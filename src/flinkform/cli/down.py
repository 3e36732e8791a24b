"""`flinkform down`: stop what `up` started; nothing is lost."""

from __future__ import annotations

import argparse
import json

from flinkform.cli import project, server
from flinkform.cli.progress import Progress


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("down", help="stop what `up` started")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Stop the control plane and the Flink it runs."""
    here = project.find()
    with Progress().step("stopping the control plane") as step:
        stopped = server.stop(here)
        step.result = "stopped; `flinkform up` brings every job back" if stopped else "nothing was running"
    if options.json:
        print(json.dumps({"stopped": stopped}))
    return 0
