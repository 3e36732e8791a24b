"""`flinkform logs JOB`: what a job's own log says, once or as it is written."""

from __future__ import annotations

import argparse
import sys
from urllib.parse import quote

from flinkform.cli import api, named, project


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
