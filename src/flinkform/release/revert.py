"""A commit that brings job files back to what an older commit has, made without touching the checkout."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

from flinkform import jobfile
from flinkform.errors import Conflict, Invalid, NotFound
from flinkform.jobfile.documents import LIMIT
from flinkform.jobfile.layers import SUFFIX
from flinkform.jobfile.moves import said
from flinkform.jobfile.reader import reading, sidecar
from flinkform.release.git import Entry, Repository
from flinkform.release.select import JOBS, moves
from flinkform.release.tree import CommitTree, below

_KINDS = (".sql", SUFFIX)
_GONE = "0 " + "0" * 40


def revert(repository: Repository, to: str, *, jobs: Collection[str] = ()) -> str:
    """Return a new commit on top of HEAD whose files in `jobs/` are those of *to*, of all jobs or of *jobs* alone.

    A job that was renamed since is moved back: its file says what it was called until now.

    No branch has it yet. A job's files are its script and its sidecar; what it shares with others stays as it is
    unless all go back. Conflict: nothing would differ. NotFound: neither commit has such a job.
    """
    head = repository.resolve("HEAD")
    if not repository.descends(head, to):
        raise Invalid(f"{to[:12]} is not in the history of HEAD", advice="name a commit that was")
    before, after = repository.tree(head, JOBS), repository.tree(to, JOBS)
    wanted = _files(jobs, before, after) if jobs else before.keys() | after.keys()
    changes = {path: after.get(path) for path in sorted(wanted) if before.get(path) != after.get(path)}
    if not changes:
        raise Conflict(f"the job files are those of {to[:12]} already")
    changes |= _moved(repository, before, after, changes)
    with tempfile.TemporaryDirectory(prefix="flinkform-index-") as folder:
        index = Path(folder, "index")
        repository.run("read-tree", head, index=index)
        rows = (_row(repository.prefix + path, entry) for path, entry in changes.items())
        repository.run("update-index", "-z", "--index-info", feed=b"".join(rows), index=index)
        tree = repository.run("write-tree", index=index).decode().strip()
    what = ", ".join(sorted(jobs)) if jobs else "all jobs"
    message = f"Roll back {what} to {to[:12]}\n\nBrings {len(changes)} files back to {to}.\n"
    made = repository.run(*repository.identity(), "commit-tree", tree, "-p", head, feed=message.encode())
    return made.decode().strip()


def clean(repository: Repository) -> None:
    """Raise Conflict where the checkout has edits of its own, which a commit would have to be laid over."""
    if edits := repository.uncommitted():
        raise Conflict(f"{edits[0]} is not committed", advice="commit or stash it, then roll back")


def advance(repository: Repository, commit: str) -> None:
    """Bring the branch that is checked out, and its files, to *commit*, which is on top of it."""
    repository.run("merge", "--ff-only", "--quiet", commit)


def _files(jobs: Collection[str], before: Mapping[str, Entry], after: Mapping[str, Entry]) -> set[str]:
    known = {path.removeprefix(f"{JOBS}/") for path in before.keys() | after.keys()}
    found: set[str] = set()
    for job in jobs:
        path = job.removeprefix(f"{JOBS}/").removesuffix(".sql") + ".sql"
        own = {one for one in jobfile.inputs(path)[-2:] if one in known}
        if path not in own:
            raise NotFound(f"neither commit has {JOBS}/{path}", advice="name jobs by their paths, as bids/daily/top")
        found |= {f"{JOBS}/{one}" for one in own}
    return found


def _moved(
    repository: Repository, before: Mapping[str, Entry], after: Mapping[str, Entry], changes: Collection[str]
) -> dict[str, Entry]:
    """Return the files of jobs that get a path back which was another since, saying so: they are the same jobs."""
    gone = [path for path in changes if path not in after and path.endswith(_KINDS)]
    fresh = {path for path in changes if path not in before and path.endswith(_KINDS)}
    found: dict[str, Entry] = {}
    with repository.objects() as objects:
        there = reading(CommitTree(objects, below(before, JOBS), JOBS), None)
        pairs = {f"{JOBS}/{old}": new for new in gone for old in there.own(sidecar(new.removeprefix(f"{JOBS}/"))).moved}
        pairs = dict(moves(gone, fresh, before, after)) | pairs
        for old, new in sorted(pairs.items()):
            if old in fresh and old.split("/")[:2] == new.split("/")[:2]:
                beside = f"{JOBS}/{sidecar(old.removeprefix(f'{JOBS}/'))}"
                kept = objects.one(after[beside].object, LIMIT) if beside in after else b""
                text = said(kept or b"", [new.removeprefix(f"{JOBS}/")])
                made = repository.run("hash-object", "-w", "--stdin", feed=text).decode().strip()
                found[beside] = Entry("100644", made)
    return found


def _row(path: str, entry: Entry | None) -> bytes:
    about = f"{entry.mode} {entry.object}" if entry else _GONE
    return f"{about}\t{path}\0".encode(errors="surrogateescape")
