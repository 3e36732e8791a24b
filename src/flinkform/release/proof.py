"""Whether log, labels and Git say the same of what was released to an environment, and of what does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flinkform.errors import FlinkformError
from flinkform.release import document, ledger
from flinkform.release.git import Repository
from flinkform.release.ledger import Entry
from flinkform.release.script import script
from flinkform.release.select import JOBS

_SHORT = 12


@dataclass(frozen=True, slots=True)
class Running:
    """A job as its deployment has it: labels without their prefix, and the release in the audit log.

    *script* is the id that Git gives the script that runs, '' for none; *logged* is `None` where the log does not tell.
    """

    name: str
    labels: Mapping[str, str]
    script: str = ""
    logged: str | None = None

    def __getitem__(self, label: str) -> str:
        return self.labels.get(label, "")


def faults(repository: Repository, environment: str, jobs: Iterable[Running]) -> Iterator[str]:
    """Yield each place where they differ: in the ledger itself, of a release against Git, of a job against both."""
    try:
        ledger.verify(repository, environment)
        entries = tuple(ledger.history(repository, environment))
    except (FlinkformError, ValueError) as error:
        yield f"the ledger of {environment} is damaged: {error}"
        return
    told: dict[tuple[str, str], str] = {}
    for entry in reversed(entries):
        key = (str(entry.about.get("commit")), str(entry.about.get("artefact")))
        if key not in told:
            told[key] = _kept(repository, *key)
        if told[key] and entry.about.get("outcome") != ledger.STARTED:
            yield f"{environment}: {entry.about.get('release')} {told[key]}"
    trees: dict[str, Mapping[str, Any]] = {}
    for job in jobs:
        if job["commit"] and job["commit"] not in trees:
            trees[job["commit"]] = _tree(repository, job["commit"])
        at = partial(_woven, repository, environment)
        if why := _job(job, entries, trees.get(job["commit"], {}), at):
            yield f"{environment}: {job.name} {why}"


def _kept(repository: Repository, commit: str, artefact: str) -> str:
    """Return what is wrong with a release's commit, '' for nothing."""
    try:
        found = document.artefact(repository, repository.resolve(commit))
    except FlinkformError:
        return f"is of the commit {commit[:_SHORT]}, which Git does not have"
    return "" if found == artefact else f"is not of the artefact that {commit[:_SHORT]} has"


def _tree(repository: Repository, commit: str) -> Mapping[str, Any]:
    try:
        return repository.tree(repository.resolve(commit), JOBS)
    except FlinkformError:
        return {}


def _woven(repository: Repository, environment: str, job: Running) -> str:
    """Return the id of what a job's script becomes with all it includes, '' where it cannot be read."""
    try:
        return script(repository, repository.resolve(job["commit"]), job["path"], environment)
    except FlinkformError:
        return ""


def _job(job: Running, entries: Sequence[Entry], files: Mapping[str, Any], woven: Callable[[Running], str]) -> str:
    """Return what is wrong with a job, '' for nothing."""
    possible = _releases(entries, job.name)
    label = job["release"]
    if not label and not possible:
        return ""
    if label not in possible:
        return f"is labelled {label or 'with no release'}, the ledger says {' or '.join(possible) or 'none'}"
    if job["commit"] != possible[label]:
        return f"is labelled {job['commit'][:_SHORT] or 'with no commit'}, {label} is of {possible[label][:_SHORT]}"
    if job.logged is not None and job.logged != label:
        return f"is labelled {label}, the log says that {job.logged or 'nobody'} changed it last"
    return _content(job, files, woven)


def _content(job: Running, files: Mapping[str, Any], woven: Callable[[Running], str]) -> str:
    """Return what script, label and Git have otherwise, '' for nothing."""
    kept = files.get(f"{JOBS}/{job['path']}")
    if kept is None:
        return f"is of {job['path']}, which {job['commit'][:_SHORT]} does not have"
    now = job.script
    if now and not (now == job["blob"] and (now == kept.object or now == woven(job))):
        return f"runs the script {now[:_SHORT]}, its label says {job['blob'][:_SHORT]}, Git {kept.object[:_SHORT]}"
    return ""


def _releases(entries: Iterable[Entry], name: str) -> dict[str, str]:
    """Return the releases that may have changed a job last, with their commits.

    That is the newest one that was applied whole, and those after it: they came as far as this job, or did not.
    """
    found: dict[str, str] = {}
    for entry in entries:
        if not any(one.get("name") == name for one in entry.about.get("jobs", ())):
            continue
        found.setdefault(str(entry.about.get("release")), str(entry.about.get("commit")))
        if entry.about.get("outcome") == ledger.APPLIED:
            break
    return found
