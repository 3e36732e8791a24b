"""The words of `flinkform drift`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("drift", help="show what runs otherwise than Git says")
    parser.add_argument("--at", default="", metavar="REF", help="the commit (default: the one applied last, else HEAD)")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=later("drift"))
