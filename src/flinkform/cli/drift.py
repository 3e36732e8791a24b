"""`flinkform drift`: what runs otherwise than the commit says that was applied last."""

from __future__ import annotations

import argparse
import json

from flinkform.cli import plan, project
from flinkform.cli.planning import Wanted
from flinkform.cli.progress import Progress
from flinkform.release import ledger, report
from flinkform.release.git import Repository


def run(options: argparse.Namespace) -> int:
    """Print each job that differs, field by field; 1 where there is one."""
    here = project.checkout()
    repository = Repository.around(here.root, here.shell)
    ledger.fetch(repository, here.environment)
    last = ledger.applied(repository, here.environment)
    commit = repository.resolve(options.at or (last.about["commit"] if last else "HEAD"))
    found = plan.made(here, Wanted(commit), Progress())
    if options.json:
        print(json.dumps(report.document(found)))
    elif found.items:
        print(report.text(found))
        print(f"\nto bring it back: flinkform release --at {commit[:12]} --out release.json, and apply that")
    else:
        print(f"{here.environment} is as {commit[:12]} says")
    return 1 if found.items else 0
