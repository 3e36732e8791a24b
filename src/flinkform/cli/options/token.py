"""The words of `flinkform token`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.home import arguments
from flinkform.cli.options.later import later

KINDS = ("sts", "bearer")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("token", help="make, list and remove temporary keys of the control plane")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a temporary key; it is shown this once")
    create.add_argument("kind", choices=KINDS, help="sts: signs, with a security token; bearer: one text, sent along")
    create.add_argument("--key", default="", metavar="ID", help="whose it is (default: the root key)")
    create.add_argument("--for", dest="life", default="1h", metavar="TIME", help="how long it lives, such as 15m or 7d")
    create.add_argument("--policy", type=Path, action="append", metavar="FILE", help="narrows what its key may do")
    create.add_argument("--description", default="", help="what for, for people")
    create.set_defaults(run=later("token", "_create"))
    listing = actions.add_parser("list", help="show the temporary keys")
    listing.set_defaults(run=later("token", "_list"))
    remove = actions.add_parser("remove", help="end a temporary key now")
    remove.add_argument("token", metavar="ID")
    remove.set_defaults(run=later("token", "_remove"))
    for one in (create, listing, remove):
        arguments(one)
