"""The words of `flinkform audit`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.home import arguments
from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("audit", help="show who changed what, and check that nothing of it was altered")
    arguments(parser)
    parser.add_argument("--limit", type=int, default=50, help="show the newest so many (0: all)")
    parser.add_argument("--principal", default="", metavar="KEY", help="of this key, or this temporary one")
    parser.add_argument("--operation", default="", metavar="NAME", help="of this operation")
    parser.set_defaults(run=later("audit", "_list"))
    actions = parser.add_subparsers(metavar="verify", required=False)
    verify = actions.add_parser("verify", help="find rows that were changed, removed or put elsewhere")
    verify.add_argument("file", nargs="?", type=Path, help="what `flinkform audit --json` printed (default: the log)")
    verify.add_argument("--head", default="", metavar="SEQ:HASH", help="the end, as an earlier verify told it")
    verify.set_defaults(run=later("audit", "_verify"))
    # Said before the action or after it, both mean the same.
    verify.add_argument("--home", type=Path, default=argparse.SUPPRESS)
    verify.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
