"""Which releases were applied where: commits of a ref of its own, which no branch shows and Git itself chains."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flinkform.errors import Conflict, FlinkformError, NotFound
from flinkform.release.git import Repository

STARTED, FAILED, APPLIED = "started", "failed", "applied"
"""How a release stands: what is recorded when it begins, and how it ended; one that was killed has no end."""
_REFS = "refs/flinkform/"
_FILE = "release.json"
_LIMIT = 16 << 20
_NOBODY = "0" * 40
_OVERTAKEN = "origin has an entry that is not here"


@dataclass(frozen=True, slots=True)
class Entry:
    """What was recorded, when (ISO 8601) and by whom; *number* is the ref's commit that holds it."""

    number: str
    date: str
    by: str
    about: dict[str, Any]


def environments(repository: Repository) -> tuple[str, ...]:
    """Return the environments that have a ledger here."""
    said = repository.run("for-each-ref", "--format=%(refname)", _REFS).decode(errors="replace")
    return tuple(line.removeprefix(_REFS) for line in said.splitlines())


def ref(environment: str) -> str:
    """Return the ref of an environment; `git fetch origin REF:REF` brings it into another clone."""
    return f"{_REFS}{environment}"


def record(repository: Repository, environment: str, about: dict[str, Any]) -> str:
    """Append *about* and return its number. Conflict: somebody else did at the same moment."""
    name = ref(environment)
    before = _tip(repository, name)
    text = json.dumps(about, indent=2, sort_keys=True) + "\n"
    held = repository.run("hash-object", "-w", "--stdin", feed=text.encode()).decode().strip()
    tree = repository.run("mktree", feed=f"100644 blob {held}\t{_FILE}\n".encode()).decode().strip()
    subject = f"{about.get('release', '')} {about.get('outcome', '')} in {environment}".strip()
    parents = ("-p", before) if before else ()
    made = repository.run(*repository.identity(), "commit-tree", tree, *parents, feed=subject.encode())
    number = made.decode().strip()
    repository.run("update-ref", name, number, before or _NOBODY)
    return number


def begin(repository: Repository, environment: str, about: dict[str, Any]) -> None:
    """Append that a release begins, here and at `origin`. Conflict: somebody else's entry is there since we looked."""
    before = _tip(repository, ref(environment))
    number = record(repository, environment, about)
    if push(repository, environment) == _OVERTAKEN:
        repository.run("update-ref", ref(environment), before or _NOBODY, number)
        raise Conflict(
            f"another release of {environment} was recorded at origin meanwhile",
            advice="see `flinkform history`, and try again",
            code="overtaken",
        )


def history(repository: Repository, environment: str) -> Iterator[Entry]:
    """Yield what was recorded, the newest first."""
    tip = _tip(repository, ref(environment))
    if not tip:
        return
    whole = replace(repository, prefix="")  # the ref's files are of no folder
    with repository.objects() as objects:
        for one in repository.log("--first-parent", tip):
            entry = whole.tree(one.sha).get(_FILE)
            data = objects.one(entry.object, _LIMIT) if entry else None
            yield Entry(one.sha, one.date, f"{one.author} <{one.email}>", json.loads(data or b"{}"))


def verify(repository: Repository, environment: str) -> None:
    """Raise Conflict where an object of the ledger is not what its id says; Git itself looks only where it must."""
    tip = _tip(repository, ref(environment))
    if not tip:
        return
    names = repository.run("rev-list", "--objects", "--no-object-names", tip).decode().split()
    told = repository.run("cat-file", "--batch", feed="".join(f"{name}\n" for name in names).encode())
    for name in names:
        head, _, told = told.partition(b"\n")
        _, kind, size = head.split(b" ")
        data, told = told[: int(size)], told[int(size) + 1 :]
        algorithm = hashlib.sha1 if len(name) == len(_NOBODY) else hashlib.sha256
        if algorithm(b"%b %b\0%b" % (kind, size, data)).hexdigest() != name:
            raise Conflict(f"the object {name[:12]} is not what it was")


def applied(repository: Repository, environment: str) -> Entry | None:
    """Return the release that was applied last and whole, if there is one."""
    return next((one for one in history(repository, environment) if one.about.get("outcome") == APPLIED), None)


def unfinished(repository: Repository, environment: str) -> dict[str, Any] | None:
    """Return what was recorded last, if that release was begun and did not come to its end."""
    newest = next(history(repository, environment), None)
    return None if newest is None or newest.about.get("outcome") == APPLIED else newest.about


def push(repository: Repository, environment: str) -> str:
    """Send the ref to `origin`, if there is one; return why that did not work, '' where it did or need not."""
    try:
        if repository.setting("remote.origin.url"):
            words = ("push", "--quiet", "--porcelain", "origin", f"{ref(environment)}:{ref(environment)}")
            said = repository.run(*words, ok=(0, 1))
            return _OVERTAKEN if b"[rejected]" in said else "origin did not take it" if b"!\t" in said else ""
    except FlinkformError as error:
        return error.message
    return ""


def fetch(repository: Repository, environment: str) -> None:
    """Bring what others recorded, if there is a remote that has something and it is ahead."""
    name = ref(environment)
    try:
        if repository.setting("remote.origin.url"):
            repository.run("fetch", "--quiet", "--no-tags", "origin", f"{name}:{name}")
    except FlinkformError:
        return


def _tip(repository: Repository, name: str) -> str:
    try:
        return repository.resolve(name)
    except NotFound:
        return ""
