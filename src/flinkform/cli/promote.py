"""`flinkform promote FROM TO`: bring what one environment runs to the next, the very same artefact."""

from __future__ import annotations

import argparse
import json

from flinkform.cli import diff, plan, planning, project, release
from flinkform.cli.progress import Progress
from flinkform.errors import Conflict, Invalid
from flinkform.release import document, ledger, report
from flinkform.release.compare import differences
from flinkform.release.git import Repository
from flinkform.release.ledger import Entry


def run(options: argparse.Namespace) -> int:
    """Write a release of the commit that FROM is at, for TO; show what is different there, and nothing else is."""
    if options.source == options.target:
        raise Invalid(f"expected two environments, got {options.source} twice")
    here = project.checkout().within(options.target)
    repository = Repository.around(here.root, here.shell)
    for name in (options.source, options.target):
        ledger.fetch(repository, name)
    commit = _proven(repository, options.source)
    other = differences(repository, commit, options.source, options.target)
    last = ledger.applied(repository, options.target)
    since = str(last.about["commit"]) if last else ""
    found = plan.made(here, planning.wanted(here, at=commit, since=since), Progress())
    made = release.write(here, repository, found, options.out)
    if options.json:
        told = diff.document(other, (options.source, options.target))
        print(json.dumps({"release": made, "commit": commit, "differences": told, "plan": report.document(found)}))
        return 0
    print(f"{diff.text(other, (options.source, options.target))}\n\n{report.text(found)}")
    print(f"\n{options.out} is {made}: what {options.source} runs, for {options.target}")
    return 0


def _proven(repository: Repository, source: str) -> str:
    """Return the commit that *source* is at. Conflict: its last release failed, or is not of this artefact."""
    newest = next(ledger.history(repository, source), None)
    if newest is None:
        raise Conflict(f"no release was applied to {source} yet", advice="apply one there before it is promoted")
    if newest.about.get("outcome") == ledger.STARTED:
        raise Conflict(f"the last release of {source} did not come to its end", advice="apply it again")
    if newest.about.get("outcome") != ledger.APPLIED:
        raise Conflict(f"the last release of {source} failed: {_why(newest)}", advice="mend it there first")
    commit = str(newest.about["commit"])
    if document.artefact(repository, repository.resolve(commit)) != newest.about["artefact"]:
        raise Conflict(f"{commit[:12]} is not the artefact that {source} was released with")
    return commit


def _why(entry: Entry) -> str:
    return str(entry.about.get("why", "")).partition("\n")[0]
