"""`flinkform down`: stop what `up` started; nothing is lost."""

from __future__ import annotations

import argparse
import json

from flinkform.cli import project, server
from flinkform.cli.progress import Progress


def run(options: argparse.Namespace) -> int:
    """Stop the control plane and the Flink it runs."""
    here = project.find()
    with Progress().step("stopping the control plane") as step:
        stopped = server.stop(here)
        step.result = "stopped; `flinkform up` brings every job back" if stopped else "nothing was running"
    if options.json:
        print(json.dumps({"stopped": stopped}))
    return 0
