"""`flinkform completion SHELL`: what a shell needs to complete commands, options and file names."""

from __future__ import annotations

import argparse

import shtab


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    from flinkform.cli.main import whole  # noqa: PLC0415 - it is who imports this module

    print(shtab.complete(whole(), shell=options.shell))
    return 0
