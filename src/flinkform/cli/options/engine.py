"""The words of `flinkform engine`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later
from flinkform.flink import engines


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its own ones."""
    parser = commands.add_parser("engine", help="list, install and remove releases of Flink")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for verb, run, summary in (
        ("list", later("engine", "_list"), "what is installed, and what can be"),
        ("install", later("engine", "_install"), "fetch a release from the package index, about 300 MB"),
        ("remove", later("engine", "_remove"), "take a release away"),
    ):
        one = verbs.add_parser(verb, help=summary)
        if verb != "list":
            one.add_argument("line", metavar="VERSION", help=f"one of {', '.join(engines.OTHERS)}")
        one.add_argument("--json", action="store_true")
        one.set_defaults(run=run)
