"""The words of `flinkform plan`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later

LIMIT = 60_000
"""Bytes of Markdown, as `report` takes if it is not told."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("plan", help="say what a change does to every job, before anything is touched")
    revisions(parser)
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true")
    forms.add_argument("--markdown", action="store_true", help="for a merge request")
    parser.add_argument("--limit", type=int, default=LIMIT, help="bytes of Markdown (default: %(default)s)")
    parser.set_defaults(run=later("plan"))


def revisions(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what to plan."""
    parser.add_argument("--since", default="", metavar="REF", help="only what differs from there, as `origin/main`")
    parser.add_argument(
        "--at", default="", metavar="REF", help="the commit to plan (default: the checkout, with --since HEAD)"
    )
