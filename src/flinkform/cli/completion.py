"""`flinkform completion SHELL`: what a shell needs to complete commands, options and file names."""

from __future__ import annotations

import argparse

import shtab


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("completion", help="print what a shell needs to complete flinkform's words")
    parser.add_argument("shell", choices=shtab.SUPPORTED_SHELLS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    from flinkform.cli.main import whole  # noqa: PLC0415 - it is who imports this module

    print(shtab.complete(whole(), shell=options.shell))
    return 0
