"""`flinkform logs JOB`: what a job's own log says, once or as it is written."""

from __future__ import annotations

import argparse
import sys
from urllib.parse import quote

from flinkform.cli import api, named, project


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("logs", help="print a job's log")
    parser.add_argument("job", help=named.HELP)
    parser.add_argument("--follow", action="store_true", help="go on as it is written")
    parser.add_argument("--tail", type=int, default=65536, metavar="BYTES", help="start this far from the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Copy the log to stdout."""
    here = project.find()
    job = named.find(here, options.job)
    follow = "true" if options.follow else "false"
    place = f"/flinkform/v1/jobs/{quote(job['deployment_id'])}/log?follow={follow}&tail={options.tail}"
    for piece in api.stream(here, place):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    return 0
