"""`flinkform rollback --to SHA`: go back to what a commit said, with the state of now where that fits."""

from __future__ import annotations

import argparse
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flinkform.cli import api, named, plan, planning, project, release
from flinkform.cli.claim import claimed
from flinkform.cli.progress import Progress
from flinkform.cli.project import Project
from flinkform.errors import Conflict, FlinkformError
from flinkform.release import report
from flinkform.release.git import Repository
from flinkform.release.revert import advance, clean, revert
from flinkform.release.review import Item, Review


def run(options: argparse.Namespace) -> int:
    """Show what the way back does to each job and its state; with --out make the commit and the release.

    1 where the state of a job does not fit: then there is neither.
    """
    here = project.checkout()
    # What is planned while somebody applies is another plan a moment later, and a commit that nobody asked for.
    with claimed(here, f"rollback --to {options.to}") if options.out else nullcontext():
        return _rolled(here, options)


def _rolled(here: Project, options: argparse.Namespace) -> int:
    repository = Repository.around(here.root, here.shell)
    if options.out:
        clean(repository)
    commit = revert(repository, repository.resolve(options.to), jobs=options.job)
    found = plan.made(here, planning.wanted(here, at=commit, since="HEAD"), Progress())
    savepoints = {item.name: kept for item in found.jobs if (kept := _kept(here, repository, options.to, item))}
    refused = [item.name for item in found.items if item.refused]
    made = None
    if options.out and not refused:
        made = release.write(here, repository, found, options.out)
        # Only now: whoever is killed before it finds HEAD where it was, and goes back once more.
        advance(repository, commit)
    if options.json:
        print(json.dumps({"commit": commit, "plan": report.document(found), "savepoints": savepoints, "release": made}))
    else:
        _show(found, commit, savepoints, made, options.out)
    if options.out and refused:
        raise Conflict(
            f"the state of {', '.join(refused)} does not fit what it was; nothing was committed",
            advice="roll back the others with --job, or say in its sidecar what to do (upgrade.on_incompatible)",
        )
    return 1 if refused else 0


def _show(found: Review, commit: str, savepoints: dict[str, str], made: str | None, out: Path | None) -> None:
    print(report.text(found))
    for name, kept in savepoints.items():
        print(f"{name}: it goes on from a savepoint that is taken now; that of then is {kept}")
    if made:
        print(f"\nHEAD is {commit[:12]}, and {out} is {made}: flinkform apply {out}")
    else:
        print("\nnothing was committed; --out FILE makes the commit and the release")


def _kept(here: Project, repository: Repository, to: str, item: Item) -> str:
    """Return the savepoint that a job left when it last ran what *to* says; '' where none is known."""
    if item.action not in ("update", "refused"):
        return ""
    try:
        commit = repository.resolve(to)
        job = named.find(here, item.name)
        runs: list[dict[str, Any]] = api.call(
            here, "GET", f"/flinkform/v1/jobs/{quote(job['deployment_id'])}/runs?limit=1000"
        )["runs"]
        left = (one["left"]["savepoint"] for one in runs if one.get("left") and _before(repository, one, commit))
        return str(next((one for one in left if one), ""))
    except (FlinkformError, KeyError):
        return ""


def _before(repository: Repository, run: dict[str, Any], commit: str) -> bool:
    """Say whether a run was of *commit* or of one before it."""
    try:
        return bool(run.get("commit")) and repository.descends(commit, str(run["commit"]))
    except FlinkformError:
        return False
