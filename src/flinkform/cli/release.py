"""`flinkform release`: a plan bound to a commit, an environment and its states, signed, as a file."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from flinkform.cli import plan, planning, project
from flinkform.cli.progress import Progress, counted
from flinkform.cli.project import Project
from flinkform.errors import Invalid
from flinkform.release import document, gate, report, signature
from flinkform.release.document import Sealed
from flinkform.release.git import Repository
from flinkform.release.review import Review


def run(options: argparse.Namespace) -> int:
    """Write the file; nothing is written where something is refused, or nothing changes."""
    here = project.checkout()
    what = planning.wanted(here, at=options.at or "HEAD", since=options.since)
    repository = Repository.around(here.root, here.shell)
    found = plan.made(here, what, Progress())
    if options.if_changed and not found.items:
        nothing = f"{here.environment} is as {found.commit[:12]} says: there is nothing to release"
        print(json.dumps({"id": "", "file": "", "plan": report.document(found)}) if options.json else nothing)
        return 0
    made = write(here, repository, found, options.out)
    if options.json:
        print(json.dumps({"id": made, "file": str(options.out), "plan": report.document(found)}))
        return 0
    release = document.read(options.out).release
    print(report.text(found))
    print(f"\n{options.out} is {made}: {counted(len(release.items), 'change')}, good until {release.expires}")
    rules = gate.rules(repository, release.commit, release.environment)
    lacking = tuple(gate.lacking(release, rules, ()))
    if lacking:
        print("it needs approvals, each by `flinkform approve`:\n" + "\n".join(f"  {line}" for line in lacking))
    return 0


def write(here: Project, repository: Repository, found: Review, file: Path) -> str:
    """Sign the plan *found* and write it to *file* as a release; return its id."""
    if not found.items:
        raise Invalid(f"{here.environment} is as {found.commit[:12]} says: there is nothing to release")
    rules = gate.rules(repository, found.commit, here.environment)
    author = f"{repository.setting('user.name')} <{repository.setting('user.email')}>"
    release = document.bound(found, repository, author=author, hours=rules.hours, now=datetime.now(UTC))
    Sealed(release, signature.sign(repository, release.content, signature.RELEASE)).write(file)
    return release.id
