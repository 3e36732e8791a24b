"""The words of `flinkform connectors`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command and its own ones."""
    parser = commands.add_parser("connectors", help="list, install and remove connectors and formats")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for verb, run, summary in (
        ("list", later("connectors", "_list"), "what is installed, and what can be"),
        ("install", later("connectors", "_install"), "fetch pinned jars from Maven Central"),
        ("remove", later("connectors", "_remove"), "take connectors away"),
    ):
        one = verbs.add_parser(verb, help=summary)
        if verb != "list":
            one.add_argument("names", nargs="+", metavar="NAME", help="such as kafka")
        one.add_argument("--engine", metavar="VERSION", help="the line of Flink, such as 1.20 (default: the installed)")
        one.add_argument("--json", action="store_true")
        one.set_defaults(run=run)
