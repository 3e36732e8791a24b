"""`flinkform apply RELEASE`: carry out a signed plan, in waves, or say why not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from flinkform.cli import health, plan, planning, project, stacks
from flinkform.cli.leftover import Locks
from flinkform.cli.planning import Wanted
from flinkform.cli.progress import Progress, Step, counted
from flinkform.cli.project import Project
from flinkform.cli.stacks import Outcome, Stack, Terraform
from flinkform.errors import Conflict, FlinkformError
from flinkform.jobfile.globs import matches
from flinkform.release import document, gate, ledger
from flinkform.release.document import Release, Sealed
from flinkform.release.gate import Rules
from flinkform.release.git import Repository
from flinkform.release.review import items
from flinkform.release.signature import Signer


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("apply", help="carry out a signed release, in waves")
    parser.add_argument("release", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check the release, plan once more, apply wave after wave, and record what came of it."""
    sealed = document.read(options.release)
    release = sealed.release
    here, repository = _here(release)
    progress = Progress()
    with progress.step("checking the release") as step:
        repository.resolve(release.commit)
        rules = gate.rules(repository, release.commit, release.environment)
        signer = gate.admit(sealed, rules, repository, environment=here.environment, now=datetime.now(UTC))
        step.result = f"{release.id}, made by {signer}"
    terraform = replace(plan.terraform(here), locks=Locks(here))
    what = replace(planning.wanted(here, at=release.commit, since=release.since), release=release.id)
    with progress.step("planning once more") as step:
        gate.unchanged(release, planning.serials(here, {one["name"] for one in release.stacks}))
        found = planning.review(here, terraform, what, step)
        gate.same(release, {(one.stack, one.address): one.digest for one in found.items})
        step.result = "the same plan"
    outcomes = _recorded(
        here, repository, sealed, rules, signer, lambda: _waves(here, terraform, what, release, rules, progress)
    )
    if options.json:
        print(
            json.dumps({"release": release.id, "commit": release.commit, "stacks": [asdict(one) for one in outcomes]})
        )
    else:
        print(f"{release.id} is applied: {release.environment} is at {release.commit[:12]}")
    return 0


def _here(release: Release) -> tuple[Project, Repository]:
    """Return the checkout in the release's environment, unless the shell names one."""
    here = project.checkout()
    if not here.shell.get("FLINKFORM_ENVIRONMENT"):
        here = here.within(release.environment)
    return here, Repository.around(here.root, here.shell)


def _recorded(
    here: Project,
    repository: Repository,
    sealed: Sealed,
    rules: Rules,
    signer: Signer,
    act: Callable[[], list[Outcome]],
) -> list[Outcome]:
    """Do it, and append how it ended to the environment's ledger, a failure too."""
    ledger.fetch(repository, here.environment)
    release = sealed.release
    approvers = gate.approvers(sealed, rules, repository, signer)
    about: dict[str, Any] = {
        "release": release.id,
        "commit": release.commit,
        "artefact": release.artefact,
        "environment": release.environment,
        "signed_by": str(signer),
        "approved_by": [str(one) for one in approvers],
        "jobs": [{name: one[name] for name in ("name", "path", "action", "verdict")} for one in release.items],
    }
    try:
        outcomes = act()
    except (FlinkformError, KeyboardInterrupt) as error:
        ledger.record(repository, here.environment, {**about, "outcome": "failed", "why": str(error)[:2000]})
        ledger.push(repository, here.environment)
        raise
    ledger.record(repository, here.environment, {**about, "outcome": "applied"})
    ledger.push(repository, here.environment)
    return outcomes


def _waves(
    here: Project, terraform: Terraform, what: Wanted, release: Release, rules: Rules, progress: Progress
) -> list[Outcome]:
    """Apply the canaries, then the rest; after each wave its jobs have to be well for a while."""
    waves = tuple(_wave(release, rules))
    outcomes: list[Outcome] = []
    for number, (only, names) in enumerate(waves, 1):
        with progress.step(f"wave {number} of {len(waves)}, {counted(len(names), 'change')}") as step:
            with planning.synthesised(here, terraform, what, step) as found:
                those = planning.chosen(here, what, found)
                outcomes += _applied(here, terraform, those, release, only, step)
            health.watch(here, names, rules.window, step)
            step.result = "healthy"
    return outcomes


def _wave(release: Release, rules: Rules) -> Iterator[tuple[Mapping[str, set[str]], set[str]]]:
    """Yield each wave: addresses by stack, none for all that is left, and the names of its changes."""
    first = [one for one in release.items if any(matches(glob, one["path"]) for glob in rules.canary)]
    rest = [one for one in release.items if one not in first]
    if first and rest:
        only: dict[str, set[str]] = {}
        for one in first:
            only.setdefault(one["stack"], set()).add(one["address"])
        yield only, {one["name"] for one in first}
    yield {}, {one["name"] for one in rest or first}


def _applied(
    here: Project,
    terraform: Terraform,
    those: tuple[Stack, ...],
    release: Release,
    only: Mapping[str, set[str]],
    step: Step,
) -> Iterator[Outcome]:
    """Apply each stack of a wave after those it needs."""
    left = [stack for stack in those if not only or stack.name in only]
    plans = here.home / "plans"
    plans.mkdir(mode=0o700, parents=True, exist_ok=True)
    while left:
        waiting = {stack.name for stack in left}
        ready = next((stack for stack in left if not waiting & set(stack.after)), left[0])
        left.remove(ready)
        yield stacks.apply(
            terraform,
            ready,
            plans / f"{ready.name}.tfplan",
            step.say,
            only=only.get(ready.name, ()),
            check=partial(_expected, terraform, release),
        )


def _expected(terraform: Terraform, release: Release, stack: Stack, file: Path) -> None:
    """Raise Conflict where a plan has in mind what the release has not."""
    known = {(one["stack"], one["address"]): one["action"] for one in release.items}
    for made in items(stack.name, planning.shown(terraform, stack, file)):
        if known.get((stack.name, made.address)) != made.action:
            raise Conflict(f"the plan is another one by now: {made.name} would be changed by {made.action}")
