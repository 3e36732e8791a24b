"""`flinkform apply RELEASE`: carry out a signed plan, in waves, or say why not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from flinkform.cli import orphans, plan, planning, project
from flinkform.cli.claim import claimed
from flinkform.cli.leftover import Locks
from flinkform.cli.progress import Progress
from flinkform.cli.project import Project
from flinkform.cli.stacks import Outcome
from flinkform.cli.waves import Run
from flinkform.errors import Conflict, FlinkformError
from flinkform.release import document, gate, ledger
from flinkform.release.document import Release, Sealed
from flinkform.release.gate import Rules
from flinkform.release.git import Repository
from flinkform.release.signature import Signer


def run(options: argparse.Namespace) -> int:
    """Check the release, plan once more, apply wave after wave, and record what came of it."""
    sealed = document.read(options.release)
    release = sealed.release
    here, repository = _here(release)
    progress = Progress()
    with claimed(here, f"apply {release.id}") as claim:
        with progress.step("checking the release") as step:
            rules, signer, again = _admitted(here, repository, sealed, step.say)
            step.result = f"{release.id}, made by {signer}" + (", goes on where it stopped" if again else "")
        found = replace(_planned(here, release, rules, progress, again=again), still=claim.still)
        about = _about(sealed, rules, repository, signer)
        outcomes = _recorded(here, repository, about, lambda: found.carry_out(progress))
    if options.json:
        print(
            json.dumps({"release": release.id, "commit": release.commit, "stacks": [asdict(one) for one in outcomes]})
        )
    else:
        print(f"{release.id} is applied: {release.environment} is at {release.commit[:12]}")
    return 0


def _admitted(
    here: Project, repository: Repository, sealed: Sealed, say: Callable[[str], None]
) -> tuple[Rules, Signer, bool]:
    """Return the rules, who signed, and whether the release was begun before; raises what forbids it."""
    release = sealed.release
    repository.resolve(release.commit)
    rules = gate.rules(repository, release.commit, release.environment)
    signer = gate.admit(sealed, rules, repository, environment=here.environment, now=datetime.now(UTC))
    ledger.fetch(repository, here.environment)
    last = ledger.applied(repository, here.environment)
    if last and last.about.get("release") == release.id:
        advice = "see `flinkform history`"
        raise Conflict(f"{release.id} was applied already, at {last.date}", advice=advice, code="applied")
    before = ledger.unfinished(repository, here.environment)
    again = before is not None and before.get("release") == release.id
    if before and not again:
        gate.follows(release, before)
        orphans.remove(here, before, say)
    return rules, signer, again


def _planned(here: Project, release: Release, rules: Rules, progress: Progress, *, again: bool) -> Run:
    """Plan once more; what may be carried out is the very plan, or what is left of it."""
    terraform = replace(plan.terraform(here), locks=Locks(here))
    what = replace(planning.wanted(here, at=release.commit, since=release.since), release=release.id)
    with progress.step("planning once more") as step:
        gate.unchanged(release, planning.serials(here, {one["name"] for one in release.stacks}), again=again)
        found = planning.review(here, terraform, what, step)
        if again:
            gate.within(release, found.items, again=True)
            step.result = f"{len(found.items)} of {len(release.items)} are left"
        else:
            gate.same(release, {(one.stack, one.address): one.digest for one in found.items})
            step.result = "the same plan"
    return Run(here, terraform, what, release, rules, again)


def _here(release: Release) -> tuple[Project, Repository]:
    """Return the checkout in the release's environment, unless the shell names one."""
    here = project.checkout()
    if not here.shell.get("FLINKFORM_ENVIRONMENT"):
        here = here.within(release.environment)
    return here, Repository.around(here.root, here.shell)


def _about(sealed: Sealed, rules: Rules, repository: Repository, signer: Signer) -> dict[str, Any]:
    """Return what the ledger keeps of a release."""
    release = sealed.release
    approvers = gate.approvers(sealed, rules, repository, signer)
    return {
        "release": release.id,
        "commit": release.commit,
        "artefact": release.artefact,
        "environment": release.environment,
        "signed_by": str(signer),
        "approved_by": [str(one) for one in approvers],
        "stacks": [one["name"] for one in release.stacks],
        "jobs": [{name: one[name] for name in ("name", "path", "action", "verdict")} for one in release.items],
    }


def _recorded(
    here: Project, repository: Repository, about: dict[str, Any], act: Callable[[], list[Outcome]]
) -> list[Outcome]:
    """Do it, and append to the environment's ledger that it begins and how it ended, a failure too."""

    def record(**more: str) -> None:
        ledger.record(repository, here.environment, about | more)
        ledger.push(repository, here.environment)

    ledger.begin(repository, here.environment, about | {"outcome": ledger.STARTED})
    try:
        outcomes = act()
    except (FlinkformError, KeyboardInterrupt) as error:
        record(outcome=ledger.FAILED, why=str(error)[:2000])
        raise
    record(outcome=ledger.APPLIED)
    return outcomes
