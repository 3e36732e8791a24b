"""Which jobs a change of the repository concerns, proven by what each depends on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from flinkform import jobfile
from flinkform.errors import FlinkformError
from flinkform.jobfile import Environment
from flinkform.jobfile.reader import Reader, reading
from flinkform.jobfile.settings import FILE as SETTINGS
from flinkform.jobfile.shape import DEFAULTS
from flinkform.jobfile.weave import INCLUDED, LIMIT
from flinkform.release.git import LINK, MODULE, Change, Entry, Objects, Repository
from flinkform.release.tree import CommitTree, below

JOBS, ENVIRONMENTS = "jobs", "environments"
_JAR = ".jar"
_PROSE = (".md", ".rst", ".adoc", ".png", ".jpg", ".svg", ".pdf", ".jar", ".zip", ".gz", ".whl")
_PAPERS = ("CODEOWNERS", "LICENSE", "NOTICE", "Makefile", "Jenkinsfile", SETTINGS)


class How(StrEnum):
    """What happened to a job between two commits."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class Selected:
    """A job that is concerned: *path* is from the jobs folder, *before* where it was, *because* of these files."""

    path: str
    how: How
    because: tuple[str, ...]
    before: str = ""

    @property
    def team(self) -> str:
        """The top folder: the namespace, and the stack."""
        return self.path.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Selection:
    """What differs between two commits for one environment."""

    old: str
    new: str
    jobs: tuple[Selected, ...]
    teams: frozenset[str] = field(default_factory=frozenset)
    """Whose stacks are concerned: of the jobs, where these were before, and of namespaces that are another."""
    spaces: frozenset[str] = field(default_factory=frozenset)
    """Namespaces that the environment wants otherwise."""
    workspace: bool = False
    """Whether the environment wants another workspace."""
    code: tuple[str, ...] = ()
    """Files that compose the stacks: where one differs every stack may."""


def select(repository: Repository, old: str, new: str, *, environment: str) -> Selection:
    """Return which jobs differ between the commits *old* and *new*, and why; costs what differs, but for names."""
    changes = repository.diff(old, new)
    if not changes:
        return Selection(old, new, ())
    before = repository.tree(old, JOBS, ENVIRONMENTS)
    after = dict(before)
    for change in changes:
        if change.new is None:
            after.pop(change.path, None)
        elif change.path.startswith((f"{JOBS}/", f"{ENVIRONMENTS}/")):
            after[change.path] = change.new
    with repository.objects() as objects:
        sides = (_Side(objects, old, before, environment), _Side(objects, new, after, environment))
        return _Comparison(changes, *sides).selection()


def composing(path: str) -> bool:
    """Say whether what composes the stacks may read a file outside the folders of jobs and environments.

    A plan of a commit is made where only such files are, so nothing else can have a say.
    """
    folder, _, name = path.rpartition("/")
    if any(part.startswith(".") for part in path.split("/")) or folder.partition("/")[0] in ("docs", "tests"):
        return False
    return not (name.endswith(_PROSE) or name in _PAPERS)


class _Side:
    """One of the two commits, of which nothing is read before it is asked for."""

    def __init__(self, objects: Objects, commit: str, entries: Mapping[str, Entry], environment: str) -> None:
        self.commit = commit
        self._objects = objects
        self._environment = environment
        self.entries = entries
        self.jobs = below(self.entries, JOBS)
        self.links = {path: entry for path, entry in self.jobs.items() if entry.mode == LINK}

    def tree(self) -> CommitTree:
        return CommitTree(self._objects, self.jobs, JOBS)

    def environment(self) -> Environment | None:
        """Return the environment, `None` where this commit has none or it cannot be read."""
        try:
            tree = CommitTree(self._objects, below(self.entries, ENVIRONMENTS), ENVIRONMENTS)
            return jobfile.environment_in(tree, self._environment)
        except FlinkformError:
            return None

    def reader(self, environment: Environment | None, *, scripts: bool) -> Reader:
        tree = self.tree()
        if scripts:  # one after the other they would take a while
            tree.fetch((path for path in self.jobs if path.endswith((".sql", INCLUDED))), LIMIT)
        return reading(tree, environment)

    def pointing(self, target: str) -> Iterator[str]:
        """Yield the links that lead to *target*."""
        tree = self.tree()
        for path in self.links:
            try:
                end = tree.followed(path)
            except FlinkformError:
                continue
            if end == target:
                yield path


@dataclass(slots=True)
class _Comparison:
    changes: tuple[Change, ...]
    old: _Side
    new: _Side
    own: dict[str, list[str]] = field(default_factory=dict)
    """Jobs, each with those of its own files that differ."""

    def selection(self) -> Selection:
        code, around = [], list[str]()
        for change in self.changes:
            folder, _, path = change.path.partition("/")
            if folder == JOBS and path:
                self._job_file(path, change, around)
            elif folder == ENVIRONMENTS:
                around.append(change.path)
            elif _tracked(change) and composing(change.path):
                code.append(change.path)
        spaces, workspace, shared = self._around(around)
        jobs = (*self._owned(), *shared)
        teams = {one.team for one in jobs} | {one.before.partition("/")[0] for one in jobs if one.before} | spaces
        ordered = tuple(sorted(jobs, key=lambda one: one.path))
        return Selection(
            self.old.commit, self.new.commit, ordered, frozenset(teams), frozenset(spaces), workspace, tuple(code)
        )

    def _job_file(self, path: str, change: Change, around: list[str]) -> None:
        """Note whose file *path* is, in both commits: a sidecar may have lost its script."""
        # A jar has a say in every job that names it, which the sha256 among their values tells; so have includes,
        # of which the scripts tell.
        if path.rpartition("/")[2] == DEFAULTS or path.endswith((_JAR, INCLUDED)):
            around.append(change.path)
            return
        for side, entry in ((self.old, change.old), (self.new, change.new)):
            names = (path, *side.pointing(path)) if entry else _companion(path, side.jobs)
            for name in names:
                job = jobfile.owner(name, side.jobs)
                if job and change.path not in self.own.setdefault(job, []):
                    self.own[job].append(change.path)

    def _owned(self) -> Iterator[Selected]:
        """Yield the jobs with own files that differ; one that only moved is one, with its old path."""
        gone = {path for path in self.own if path not in self.new.jobs}
        fresh = {path for path in self.own if path not in self.old.jobs}
        moved = dict(moves(gone, fresh, self.old.jobs, self.new.jobs))
        left = set(moved.values())
        for path, because in self.own.items():
            if path in left:
                continue
            if path in moved:
                yield Selected(path, How.RENAMED, tuple(because), before=moved[path])
            else:
                how = How.DELETED if path in gone else How.ADDED if path in fresh else How.MODIFIED
                yield Selected(path, how, tuple(because))

    def _around(self, files: list[str]) -> tuple[set[str], bool, tuple[Selected, ...]]:
        """Return the namespaces that differ, whether the workspace does, and jobs that share what changed."""
        if not files:
            return set(), False, ()
        before, after = self.old.environment(), self.new.environment()
        spaces, workspace = _places(before, after)
        scripts = any(path.endswith(INCLUDED) for path in files)
        old, new = self.old.reader(before, scripts=scripts), self.new.reader(after, scripts=scripts)
        found = jobfile.differing(old, new, self._sharing(files), scripts=scripts)
        return spaces, workspace, tuple(Selected(path, How.MODIFIED, _why(old, new, path, files)) for path in found)

    def _sharing(self, files: list[str]) -> Iterator[str]:
        """Yield the jobs of both commits that one of *files* may have a say in, unless they differ by themselves."""
        whole = any(not path.startswith(f"{JOBS}/") for path in files)
        folders = [path.removeprefix(f"{JOBS}/").removesuffix(DEFAULTS) for path in files]
        programs = any(path.endswith(_JAR) for path in files)
        scripts = any(path.endswith(INCLUDED) for path in files)
        for path in self.new.jobs:
            known = path in self.old.jobs and path not in self.own and jobfile.owner(path, self.new.jobs) == path
            kind = (programs and path.endswith(f"{_JAR}.yaml")) or (scripts and path.endswith(".sql"))
            if known and (whole or kind or path.startswith(tuple(folders))):
                yield path


def _companion(path: str, files: Collection[str]) -> Iterator[str]:
    """Yield the `.yaml` beside a script: with the script it is its sidecar, without it stands for itself."""
    beside = path.removesuffix(".sql") + ".yaml"
    if path.endswith(".sql") and beside in files:
        yield beside


def _tracked(change: Change) -> bool:
    """Say whether a change is one of contents: a submodule has none here."""
    return any(entry is not None and entry.mode != MODULE for entry in (change.old, change.new))


def moves(
    gone: Collection[str], fresh: Collection[str], old: Mapping[str, Entry], new: Mapping[str, Entry]
) -> Iterator[tuple[str, str]]:
    """Yield (new path, old path) of files with the very same content, alike names first."""
    waiting = sorted(gone)
    contents = Counter(old[path].object for path in waiting)
    for path in sorted(fresh):
        content = new[path].object
        if not contents[content]:
            continue
        alike = [one for one in waiting if old[one].object == content]
        name = path.rpartition("/")[2]
        first = next((one for one in alike if one.rpartition("/")[2] == name), alike[0])
        waiting.remove(first)
        contents[content] -= 1
        yield path, first


def _places(before: Environment | None, after: Environment | None) -> tuple[set[str], bool]:
    """Return the namespaces that two environments want otherwise, and whether they do so of the workspace."""
    old, new = (dict(one.namespaces) if one else {} for one in (before, after))
    spaces = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    return spaces, (before.workspace if before else {}) != (after.workspace if after else {})


def _why(old: Reader, new: Reader, path: str, files: Sequence[str]) -> tuple[str, ...]:
    """Return those of *files* that have a say in the job at *path*, before or now."""
    own = {f"{JOBS}/{one}" for one in jobfile.inputs(path)}
    if any(one.endswith(INCLUDED) for one in files):
        own |= {f"{JOBS}/{one}" for side in (old, new) for one in jobfile.included(side, path)}
    mine = tuple(one for one in files if one in own or not one.startswith(f"{JOBS}/"))
    return mine or tuple(one for one in files if one.endswith(_JAR))
