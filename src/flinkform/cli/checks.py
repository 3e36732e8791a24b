"""Which jobs a check looks at, which others share a place with them, and what of the rules they break."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from flinkform import jobfile
from flinkform.cli.files import jobs_folder
from flinkform.cli.project import Project
from flinkform.flink.places import mentioned
from flinkform.flink.values import Seen
from flinkform.jobfile import Folder, Job, owners
from flinkform.jobfile.owners import Codeowners
from flinkform.jobfile.reader import reading, sidecar
from flinkform.jobfile.settings import FILE
from flinkform.jobfile.weave import INCLUDED, LIMIT
from flinkform.release.git import Repository
from flinkform.release.select import ENVIRONMENTS, JOBS, How, select
from flinkform.release.tree import CommitTree, below
from flinkform.rules.check import check
from flinkform.rules.finding import Finding
from flinkform.rules.silence import Silence, silences
from flinkform.rules.table import RULES
from flinkform.rules.world import World

_SOFT = frozenset(rule.id for rule in RULES if not rule.firm)
_WHOLE = (FILE, *owners.PLACES)
"""Files outside of jobs and environments that the rules go by: another one is another check of every job."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The jobs that are *chosen*, and those *related* by a place: of the places *named* all users are known."""

    chosen: tuple[Job, ...]
    related: tuple[Job, ...] = ()
    named: frozenset[str] | None = None
    renamed: tuple[tuple[str, str], ...] = ()
    """Of chosen jobs, what each was called in the commit that they are compared with."""


def scope(jobs: tuple[Job, ...], chosen: tuple[Job, ...], before: Iterable[str] = ()) -> Scope:
    """Return what a check of *chosen* has to look at; *before* are scripts that are there no more."""
    if len(chosen) == len(jobs):
        return Scope(chosen)
    texts = [*(str(job.values.get("sql", "")) for job in chosen), *before]
    named = frozenset(name for text in texts for name in mentioned(text))
    mine = set(chosen)
    others = (job for job in jobs if job not in mine and "sql" in job.values)
    return Scope(chosen, tuple(job for job in others if not named.isdisjoint(mentioned(job.values["sql"]))), named)


def since(here: Project, reference: str, jobs: tuple[Job, ...]) -> Scope:
    """Return what to look at of jobs that differ since the branch left *reference*, not yet committed ones too."""
    repository = Repository.around(here.root, here.shell)
    new = repository.resolve("HEAD")
    old = repository.base(repository.resolve(reference), new)
    edits = set(repository.uncommitted())
    if any(_shared(path) for path in edits) or any(one.path in _WHOLE for one in repository.diff(old, new)):
        return Scope(jobs)
    found = select(repository, old, new, environment=here.environment).jobs
    own = {job.path for job in jobs if edits & {f"{JOBS}/{job.path}", f"{JOBS}/{sidecar(job.path)}"}}
    gone = {path.removeprefix(f"{JOBS}/") for path in edits}
    before = _texts(repository, old, own | gone | {one.before or one.path for one in found})
    paths = own | {one.path for one in found}
    what = scope(jobs, tuple(job for job in jobs if job.path in paths), before)
    return replace(what, renamed=tuple((one.before, one.path) for one in found if one.how is How.RENAMED))


def unsaid(here: Project, what: Scope) -> Iterator[str]:
    """Yield what jobs that were renamed have to say to stay what they are, and do not."""
    said = {job.path: job.moved for job in what.chosen}
    folder = jobs_folder(here)
    for old, new in what.renamed:
        if new in said and old not in said[new] and old.partition("/")[0] == new.partition("/")[0]:
            line = f"write `moved_from: {old}` into {folder / sidecar(new)}"
            yield f"{folder / new} was {folder / old}: {line}, or it is another job, which starts anew"


def broken(here: Project, what: Scope, seen: Mapping[str, Seen]) -> list[Finding]:
    """Return which rules that are not firm the jobs of *what* break; *seen* is what the planner found, by job."""
    said = jobfile.settings(here.root, rules=_SOFT)
    tables = {path: one.tables for path, one in seen.items() if not one.problems}
    scripts = {job.path: job.woven for job in (*what.chosen, *what.related) if job.woven}
    world = World(str(jobs_folder(here)), what.chosen, said, _owners(here), tables, what.named, scripts)
    comments = [one for job in (*what.chosen, *what.related) for one in _silences(here, job)]
    return check(world, comments)


def _shared(path: str) -> bool:
    """Say whether an edit of a file may be one of every job."""
    alike = path.startswith(f"{JOBS}/") and path.endswith(("_defaults.yaml", ".jar", INCLUDED))
    return alike or path in _WHOLE or path.startswith(f"{ENVIRONMENTS}/")


def _texts(repository: Repository, commit: str, paths: Iterable[str]) -> Iterator[str]:
    """Yield the scripts that a commit has at *paths*, with all that they include as far as they can be read."""
    there = below(repository.tree(commit, JOBS), JOBS)
    with repository.objects() as objects:
        reader = reading(CommitTree(objects, there, JOBS), None)
        for path in paths:
            if path.endswith(".sql") and path in there:
                job = reader.job(path)
                yield str(job.values["sql"]) if job else reader.tree.read(path, LIMIT).decode(errors="replace")


def _owners(here: Project) -> Codeowners | None:
    """Return who owns what; `None` where nobody says so."""
    for place in owners.PLACES:
        if (here.root / place).is_file():
            data = Folder(here.root).read(place, owners.LIMIT)
            return owners.parse(data.decode(errors="replace"))
    return None


def _silences(here: Project, job: Job) -> Iterator[Silence]:
    folder = jobs_folder(here)
    if "sql" in job.values:
        for one in silences(job.path, str(folder / job.path), job.values["sql"]):
            at = one.position
            yield replace(one, position=job.woven.place(at.line, at.column) if job.woven else at)
    beside = sidecar(job.path)
    if (folder / beside).is_file():
        text = Folder(folder).read(beside, LIMIT).decode(errors="replace")
        yield from silences(job.path, str(folder / beside), text)
