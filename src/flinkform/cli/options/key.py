"""The words of `flinkform key`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.home import arguments
from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("key", help="make, list and remove access keys of the control plane")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a key; its secret is shown this once")
    create.add_argument("--description", default="", help="whose it is, for people")
    create.add_argument("--policy", type=Path, action="append", metavar="FILE", help="a policy; it may do that alone")
    create.add_argument("--member", action="store_true", help="it may do what its roles in namespaces allow")
    create.set_defaults(run=later("key", "_create"))
    listing = actions.add_parser("list", help="show the keys, never their secrets")
    listing.set_defaults(run=later("key", "_list"))
    remove = actions.add_parser("remove", help="forget a key, and its temporary ones")
    remove.add_argument("key", metavar="ID")
    remove.set_defaults(run=later("key", "_remove"))
    for one in (create, listing, remove):
        arguments(one)
