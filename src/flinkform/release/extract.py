"""A commit as a folder on disk, with nothing in it that must not have a say in its stacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from flinkform.errors import FlinkformError, Invalid, Position
from flinkform.jobfile.shape import DEFAULTS
from flinkform.jobfile.tree import PART
from flinkform.jobfile.weave import INCLUDED
from flinkform.release.git import LINK, MODULE, Entry, Repository
from flinkform.release.select import ENVIRONMENTS, JOBS, composing
from flinkform.release.tree import CommitTree

_LIMIT = 16 << 20
"""Bytes of a file that is written; what composes stacks is never as large."""


def extract(repository: Repository, commit: str, into: Path, *, teams: frozenset[str] | None = None) -> int:
    """Write *commit* below *into* and return how many files that took; of `jobs/` only *teams* where they are given.

    Then the folder says of itself that it is a part, so that nobody misses the rest. Invalid: a path or a link that
    leaves the folder, or a job file that is too large.
    """
    entries = repository.tree(commit)
    wanted = {path: entry for path, entry in entries.items() if _wanted(path, entry, teams)}
    with repository.objects() as objects:
        tree = CommitTree(objects, entries, "")
        sources = dict(_sources(tree, wanted, entries))
        contents: dict[str, list[str]] = {}
        for path, name in sources.items():
            contents.setdefault(name, []).append(path)
        for name, data in objects.read(contents, _LIMIT):
            for path in contents[name]:
                _write(into, path, data)
    (into / JOBS).mkdir(parents=True, exist_ok=True)
    if teams is not None:
        (into / JOBS / PART).touch()
    return len(sources)


def _wanted(path: str, entry: Entry, teams: frozenset[str] | None) -> bool:
    """Say whether a file of a commit belongs into its folder: jobs of *teams*, environments, what composes."""
    top, _, rest = path.partition("/")
    if entry.mode == MODULE:
        return False
    if top != JOBS or not rest:
        return top == ENVIRONMENTS or composing(path)
    # What scripts of a team include may be anywhere.
    return teams is None or rest == DEFAULTS or rest.endswith(INCLUDED) or rest.partition("/")[0] in teams


def _sources(tree: CommitTree, wanted: Mapping[str, Entry], entries: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    """Yield each path with the object whose content it has; a link has that of its target."""
    for path, entry in wanted.items():
        if entry.mode != LINK:
            yield path, entry.object
            continue
        try:
            yield path, entries[tree.followed(path)].object
        except FlinkformError:
            if path.startswith(f"{JOBS}/"):
                raise


def _write(into: Path, path: str, data: bytes | None) -> None:
    """Write one file; a name that git itself would never check out is refused."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        raise Invalid(f"expected a path within the repository, got {path!r}")
    if data is None:
        if parts[0] == JOBS:
            raise Invalid(f"expected at most {_LIMIT:,} bytes, got more", position=Position(path, 1, 1))
        return
    file = into.joinpath(*parts)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
