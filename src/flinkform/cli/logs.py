"""`flinkform logs JOB`: what a job's own log says, once or as it is written."""

from __future__ import annotations

import argparse
import sys
from urllib.parse import quote

from flinkform.cli import api, project, status
from flinkform.errors import NotFound


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("logs", help="print a job's log")
    parser.add_argument("job", help="NAME, NAMESPACE/NAME or a deployment id")
    parser.add_argument("--follow", action="store_true", help="go on as it is written")
    parser.add_argument("--tail", type=int, default=65536, metavar="BYTES", help="start this far from the end")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Copy the log to stdout."""
    here = project.find()
    wanted = options.job
    jobs = status.read(here)["jobs"]
    found = [j for j in jobs if wanted in {j["name"], f"{j['namespace']}/{j['name']}", j["deployment_id"]}]
    if len(found) != 1:
        names = ", ".join(sorted(f"{j['namespace']}/{j['name']}" for j in (found or jobs))) or "none"
        what = "more than one job is" if found else "no job is"
        raise NotFound(f"{what} called {wanted}", advice=f"expected one of {names}")
    follow = "true" if options.follow else "false"
    place = f"/flinkform/v1/jobs/{quote(found[0]['deployment_id'])}/log?follow={follow}&tail={options.tail}"
    for piece in api.stream(here, place):
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    return 0
