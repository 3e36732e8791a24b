"""`flinkform diff ENVIRONMENT ENVIRONMENT`: what one commit makes of two environments."""

from __future__ import annotations

import argparse
import json
from typing import Any

from flinkform.cli import project
from flinkform.cli.progress import table
from flinkform.release import ledger
from flinkform.release.compare import Difference, differences
from flinkform.release.git import Repository

_SHORT = 12


def run(options: argparse.Namespace) -> int:
    """Print every value that differs, and which commit each environment is at."""
    here = project.checkout()
    repository = Repository.around(here.root, here.shell)
    names = (options.one, options.other)
    found = differences(repository, repository.resolve(options.at), *names)
    last = {name: ledger.applied(repository, name) for name in names}
    commits = {name: str(entry.about.get("commit", "")) if entry else None for name, entry in last.items()}
    if options.json:
        print(json.dumps({"commits": commits, "differences": document(found, names)}))
        return 0
    print(text(found, names))
    print("\n".join(f"{name}: {commit[:_SHORT] if commit else 'no release yet'}" for name, commit in commits.items()))
    return 0


def text(found: tuple[Difference, ...], names: tuple[str, str]) -> str:
    """Return differences as a table."""
    rows = document(found, names)
    return table(rows, ("what", "key", *names)) if rows else f"{names[0]} and {names[1]} differ in nothing"


def document(found: tuple[Difference, ...], names: tuple[str, str]) -> list[dict[str, Any]]:
    """Return differences as `--json` prints them."""
    return [{"what": one.what, "key": one.key, names[0]: one.one, names[1]: one.other} for one in found]
