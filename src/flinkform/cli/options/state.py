"""The words of `flinkform state`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("state", help="list, restore and unlock Terraform states")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="show every state, or the versions of one")
    listing.add_argument("address", nargs="?", metavar="ENVIRONMENT/STACK")
    listing.set_defaults(run=later("state"), act=later("state", "_list"))
    restore = actions.add_parser("restore", help="make an old version the newest")
    restore.add_argument("address", metavar="ENVIRONMENT/STACK")
    restore.add_argument("version", type=int, help="its number, as `list` shows it")
    restore.set_defaults(run=later("state"), act=later("state", "_restore"))
    unlock = actions.add_parser("unlock", help="break a lock whose holder is dead")
    unlock.add_argument("address", metavar="ENVIRONMENT/STACK")
    unlock.add_argument("--id", default="", help="break this lock and no other")
    unlock.set_defaults(run=later("state"), act=later("state", "_unlock"))
    making = actions.add_parser("bucket", help="make an S3 bucket that is fit for states, or bring one to it")
    making.add_argument("name")
    making.add_argument("--region", required=True)
    making.set_defaults(run=later("state"), act=later("state", "_bucket"))
    for one in (listing, restore, unlock, making):
        one.add_argument("--json", action="store_true")
