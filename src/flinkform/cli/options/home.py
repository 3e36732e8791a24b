"""What every command on the database of a home takes."""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add it."""
    parser.add_argument("--home", type=Path, help="the control plane's folder (default: this repository's)")
    parser.add_argument("--json", action="store_true")
