"""The words of `flinkform savepoint`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.job import JOB
from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("savepoint", help="list, create and delete a job's savepoints")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show a job's savepoints, newest first")
    create = actions.add_parser("create", help="take a savepoint of a running job, and wait for it")
    delete = actions.add_parser("delete", help="delete a savepoint and its files")
    for one, act in ((listing, "_list"), (create, "_create"), (delete, "_delete")):
        one.add_argument("job", help=JOB)
        one.add_argument("--json", action="store_true")
        one.set_defaults(run=later("savepoint"), act=later("savepoint", act))
    create.add_argument("--description", default="", help="why it was taken")
    create.add_argument("--native", action="store_true", help="in the state backend's own format: faster")
    create.add_argument("--timeout", type=int, default=600, metavar="SECONDS")
    delete.add_argument("savepoint", help="its id, as `list` shows it")
