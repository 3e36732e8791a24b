"""The words of `flinkform controlplane`."""

from __future__ import annotations

import argparse
from pathlib import Path

from flinkform.cli.options.later import later


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("controlplane", help="run the embedded control plane in the foreground")
    parser.add_argument("--listen", default="127.0.0.1:0", metavar="HOST:PORT", help="port 0 picks a free one")
    parser.add_argument("--home", type=Path, help="the folder it keeps everything in (default: this repository's)")
    parser.add_argument("--java", type=Path, help="the Java program that runs Flink (default: as `doctor` finds it)")
    parser.set_defaults(run=later("controlplane"))
