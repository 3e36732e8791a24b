"""`flinkform history`: which releases were applied to an environment, by whom, approved by whom, and how they ended."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator
from typing import Any

from flinkform.cli import project
from flinkform.cli.progress import table
from flinkform.release import ledger
from flinkform.release.git import Repository
from flinkform.release.ledger import Entry

_SHORT = 12
_COLUMNS = ("when", "release", "outcome", "commit", "changes", "signed_by", "approved_by")


def run(options: argparse.Namespace) -> int:
    """Print what the ledger of the environment holds."""
    here = project.checkout()
    repository = Repository.around(here.root, here.shell)
    ledger.fetch(repository, here.environment)
    every = _ended(ledger.history(repository, here.environment))
    found = [one for one in every if not options.job or _changed(one, options.job)][: options.limit]
    if options.json:
        print(json.dumps({"environment": here.environment, "releases": [_object(one) for one in found]}))
    else:
        print(
            table([_row(one) for one in found], _COLUMNS) if found else f"no release was applied to {here.environment}"
        )
    return 0


def _ended(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the entries without those that say that a release began whose end is known."""
    known = ""
    for one in entries:
        if one.about.get("outcome") != ledger.STARTED or one.about.get("release") != known:
            yield one
        known = str(one.about.get("release"))


def _changed(entry: Entry, job: str) -> bool:
    return any(one.get("name") == job for one in entry.about.get("jobs", ()))


def _object(entry: Entry) -> dict[str, Any]:
    return {"number": entry.number, "date": entry.date, "recorded_by": entry.by, **entry.about}


def _row(entry: Entry) -> dict[str, str]:
    about = entry.about
    return {
        "when": entry.date,
        "release": str(about.get("release", "")),
        "outcome": str(about.get("outcome", "")),
        "commit": str(about.get("commit", ""))[:_SHORT],
        "changes": str(len(about.get("jobs", ()))),
        "signed_by": str(about.get("signed_by", "")),
        "approved_by": ", ".join(about.get("approved_by", ())),
    }
