"""The words of `flinkform completion`."""

from __future__ import annotations

import argparse

from flinkform.cli.options.later import later

SHELLS = ("bash", "zsh", "tcsh", "fish", "powershell")


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("completion", help="print what a shell needs to complete flinkform's words")
    parser.add_argument("shell", choices=SHELLS)
    parser.set_defaults(run=later("completion"))
