"""`flinkform release`: a plan bound to a commit, an environment and its states, signed, as a file."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from flinkform.cli import plan, planning, project
from flinkform.cli.progress import Progress, counted
from flinkform.errors import Invalid
from flinkform.release import document, gate, report, signature
from flinkform.release.document import Sealed
from flinkform.release.git import Repository


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("release", help="plan a commit, and sign the plan as a file to be applied")
    plan.revisions(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write the release")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the file; nothing is written where something is refused, or nothing changes."""
    here = project.checkout()
    what = planning.wanted(here, at=options.at or "HEAD", since=options.since)
    repository = Repository.around(here.root, here.shell)
    rules = gate.rules(repository, what.commit, here.environment)
    found = plan.made(here, what, Progress())
    if not found.items:
        raise Invalid(f"{here.environment} is as {what.commit[:12]} says: there is nothing to release")
    author = f"{repository.setting('user.name')} <{repository.setting('user.email')}>"
    release = document.bound(found, repository, author=author, hours=rules.hours, now=datetime.now(UTC))
    sealed = Sealed(release, signature.sign(repository, release.content, signature.RELEASE))
    sealed.write(options.out)
    if options.json:
        print(json.dumps({"id": release.id, "file": str(options.out), "plan": report.document(found)}))
        return 0
    print(report.text(found))
    print(f"\n{options.out} is {release.id}: {counted(len(release.items), 'change')}, good until {release.expires}")
    lacking = tuple(gate.lacking(release, rules, ()))
    if lacking:
        print("it needs approvals, each by `flinkform approve`:\n" + "\n".join(f"  {line}" for line in lacking))
    return 0
