"""The one place that runs git: argument lists, a scrubbed environment, and no program that a repository names.

Nothing here needs a work tree: a commit is read from its objects, so that two of them can be compared.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from flinkform.errors import Conflict, Denied, FlinkformError, Invalid, Missing, NotFound, Unavailable

EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The tree with nothing in it, which every repository has."""
LINK, MODULE = "120000", "160000"
"""The modes of a symbolic link and of a submodule."""
_KEPT = ("HOME", "PATH", "TMPDIR", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "GNUPGHOME", "XDG_CONFIG_HOME", "GPG_TTY")
"""What git may know of the shell: GIT_* would have it look at another repository, or run something else."""
_FIXED = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
}
_SAFE = (
    *("-c", "core.fsmonitor=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.quotePath=false"),
    *("-c", "protocol.ext.allow=never"),
    "--no-pager",
)
"""Options that keep a repository's own configuration from running programs."""
_ROUND = 400
"""Objects asked for at once: their names fit a pipe, so that neither side waits for the other for ever."""
_CHUNK = 1 << 20
_SECONDS = 600
_OBJECT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Entry:
    """What a commit has at a path: a file, a link or a submodule."""

    mode: str
    object: str


@dataclass(frozen=True, slots=True)
class Change:
    """One path that two commits have otherwise: `None` where one of them has nothing there."""

    path: str
    old: Entry | None
    new: Entry | None


@dataclass(frozen=True, slots=True)
class Commit:
    """Who made a commit, when (ISO 8601), and the first line of why."""

    sha: str
    author: str
    email: str
    date: str
    subject: str
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as seen from a folder in it; *prefix* is that folder's path, with a `/` behind, or ''."""

    folder: Path
    prefix: str
    shell: Mapping[str, str]

    @classmethod
    def around(cls, folder: Path, shell: Mapping[str, str]) -> Repository:
        """Return the repository that *folder* is in. Missing: no git. NotFound: in none. Denied: git refuses it."""
        bare = cls(folder, "", shell)
        try:
            said = bare.run("rev-parse", "--is-bare-repository", "--show-prefix").decode(errors="surrogateescape")
        except NotFound:
            raise NotFound(f"{folder} is in no Git repository", advice="run `git init` and commit") from None
        kind, _, prefix = said.partition("\n")
        return bare if kind == "true" else cls(folder, prefix.removesuffix("\n"), shell)

    def run(
        self, *words: str, feed: bytes | None = None, ok: tuple[int, ...] = (0,), index: Path | None = None
    ) -> bytes:
        """Return what `git *words*` prints; *feed* is its stdin, *index* another index than the checkout's."""
        own = {"GIT_INDEX_FILE": str(index)} if index else {}
        try:
            done = subprocess.run(
                self._command(words),
                env=self._environment() | own,
                input=feed,
                capture_output=True,
                check=False,
                timeout=_SECONDS,
            )
        except FileNotFoundError as error:
            raise _absent(self.folder) from error
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"git {words[0]} did not end in {_SECONDS} s") from error
        if done.returncode not in ok:
            raise _failure(words[0], done.stderr.decode(errors="replace"))
        return done.stdout

    def resolve(self, revision: str) -> str:
        """Return the commit that *revision* names. NotFound: it names none here."""
        if not revision or revision.startswith("-") or _CONTROL.search(revision):
            raise Invalid(f"expected a commit, branch or tag, got {revision!r}")
        try:
            found = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        except FlinkformError as error:
            if isinstance(error, Missing | Denied):
                raise
            shallow = self.run("rev-parse", "--is-shallow-repository").strip() == b"true"
            advice = "the clone is shallow: fetch its history (`git fetch --unshallow`)" if shallow else "fetch it"
            raise NotFound(f"there is no commit {revision!r} in this repository", advice=advice) from None
        return found.decode().strip()

    def base(self, one: str, other: str) -> str:
        """Return the newest commit that both have in their history; *one* where they share none that is here."""
        found = self.run("merge-base", _sha(one), _sha(other), ok=(0, 1)).decode().split()
        return found[0] if found else one

    def descends(self, later: str, earlier: str) -> bool:
        """Say whether *earlier* is *later*, or is in its history."""
        return self.run("merge-base", _sha(earlier), _sha(later), ok=(0, 1)).decode().split()[:1] == [earlier]

    def diff(self, old: str, new: str) -> tuple[Change, ...]:
        """Return every path below the folder that differs between two commits or trees; costs what differs."""
        words = ("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-commit-id")
        raw = self.run(*words, _sha(old), _sha(new), *self._here)
        parts = raw.decode(errors="surrogateescape").split("\0")
        found = (_change(parts[at], parts[at + 1]) for at in range(0, len(parts) - 1, 2))
        return tuple(
            Change(one.path.removeprefix(self.prefix), one.old, one.new)
            for one in found
            if one.path.startswith(self.prefix)
        )

    def tree(self, commit: str, *below: str) -> dict[str, Entry]:
        """Return what *commit* has at or below the paths *below*, default all, by path from the folder."""
        whole = [path for one in below or ("",) if (path := (self.prefix + one).rstrip("/"))]
        raw = self.run("ls-tree", "-r", "-z", "--full-tree", _sha(commit), "--", *whole)
        found = {}
        for row in raw.decode(errors="surrogateescape").split("\0")[:-1]:
            about, _, path = row.partition("\t")
            mode, _, name = about.split(" ")
            found[path.removeprefix(self.prefix)] = Entry(mode, name)
        return found

    def objects(self) -> Objects:
        """Return a reader of contents, for a `with` block."""
        return Objects(self)

    def commit(self, sha: str) -> Commit:
        """Return what a commit says of itself."""
        return next(self.log(_sha(sha), "--max-count=1"))

    def log(self, *words: str) -> Iterator[Commit]:
        """Yield commits, the newest first; *words* are revisions and options that the caller made himself."""
        shape = "--format=tformat:%H%x00%an%x00%ae%x00%aI%x00%s%x00%P"
        parts = self.run("log", "-z", shape, *words).decode(errors="replace").split("\0")
        for at in range(0, len(parts) - 6, 6):
            sha, author, email, date, subject, parents = parts[at : at + 6]
            yield Commit(sha, author, email, date, subject, tuple(parents.split()))

    def uncommitted(self) -> tuple[str, ...]:
        """Return the paths below the folder that are not as HEAD has them, new ones too."""
        words = ("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all")
        rows = self.run(*words, *self._here).decode(errors="surrogateescape").split("\0")
        return tuple(row[3:].removeprefix(self.prefix) for row in rows if row)

    def setting(self, name: str) -> str:
        """Return a value of Git's configuration, '' where it has none."""
        return self.run("config", "--get", name, ok=(0, 1)).decode(errors="replace").strip()

    def identity(self) -> tuple[str, ...]:
        """Return options that name an author where Git knows none, as in most CI jobs."""
        if self.setting("user.email") and self.setting("user.name"):
            return ()
        return ("-c", "user.name=flinkform", "-c", "user.email=flinkform@localhost")

    def open(self, *words: str) -> subprocess.Popen[bytes]:
        """Start a git that is talked to; the caller ends it."""
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(
                self._command(words), env=self._environment(), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
            )
        except FileNotFoundError as error:
            raise _absent(self.folder) from error

    @property
    def _here(self) -> list[str]:
        """The pathspec of the folder, for what git takes from where it runs."""
        return ["--", "."] if self.prefix else []

    def _command(self, words: Sequence[str]) -> list[str]:
        return ["git", "-C", str(self.folder), *_SAFE, *words]

    def _environment(self) -> dict[str, str]:
        """Return what git gets to know of the shell; the folder is never taken from GIT_DIR."""
        kept = {name: self.shell[name] for name in _KEPT if self.shell.get(name)}
        return {"PATH": os.defpath} | kept | _FIXED


class Objects:
    """Contents of a repository by their ids, through one `git cat-file --batch`, started when the first is wanted."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process:
            for pipe in (process.stdin, process.stdout):
                with suppress(BrokenPipeError):  # what it did not take any more, as it ended before
                    if pipe:
                        pipe.close()
            process.wait()

    def read(self, names: Iterable[str], limit: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield name and content of each object, in their order; `None` for one of more than *limit* bytes.

        NotFound: the repository has it not.
        """
        wanted = [_sha(name) for name in names]
        for start in range(0, len(wanted), _ROUND):
            part = wanted[start : start + _ROUND]
            yield from self._round(part, limit)

    def one(self, name: str, limit: int) -> bytes | None:
        """Return the content of one object, `None` where it has more than *limit* bytes."""
        return next(self.read((name,), limit))[1]

    def _round(self, names: Sequence[str], limit: int) -> Iterator[tuple[str, bytes | None]]:
        process = self._process = self._process or self._repository.open("cat-file", "--batch")
        if process.stdin is None or process.stdout is None:
            raise Unavailable("git cat-file is not running")
        try:
            process.stdin.write("".join(f"{name}\n" for name in names).encode())
            process.stdin.flush()
        except BrokenPipeError as error:
            raise Unavailable("git cat-file ended before it was done") from error
        for name in names:
            yield name, self._content(process.stdout, name, limit)

    def _content(self, out: IO[bytes], name: str, limit: int) -> bytes | None:
        head = out.readline().decode(errors="replace").split()
        if len(head) != 3:
            what = "is missing" if head else "could not be asked for: git cat-file ended"
            raise NotFound(f"the object {name} {what}", advice="the repository is damaged or partial: run `git fsck`")
        size = int(head[2])
        if size > limit:
            _skip(out, size + 1)
            return None
        data = out.read(size + 1)
        return data[:size]


def _skip(out: IO[bytes], size: int) -> None:
    """Read past *size* bytes that nobody wants, without holding them."""
    while size > 0:
        piece = out.read(min(size, _CHUNK))
        if not piece:
            raise Unavailable("git cat-file ended in the middle of a file")
        size -= len(piece)


def _change(about: str, path: str) -> Change:
    """Return what a raw diff says of one path: `:MODE MODE OBJECT OBJECT LETTER`."""
    old_mode, new_mode, old, new, _ = about.removeprefix(":").split(" ")
    before = Entry(old_mode, old) if old.strip("0") or old_mode.strip("0") else None
    after = Entry(new_mode, new) if new.strip("0") or new_mode.strip("0") else None
    return Change(path, before, after)


def _sha(name: str) -> str:
    """Return *name* if it is an object's id: nothing else may reach a command line as one."""
    if not _OBJECT.fullmatch(name):
        raise Invalid(f"expected the id of an object, got {name!r}")
    return name


def _absent(folder: Path) -> FlinkformError:
    if not folder.is_dir():
        return NotFound(f"there is no folder {folder}")
    return Missing("git was not found", advice="install git 2.34 or newer, and see that it is on PATH")


def _failure(word: str, said: str) -> FlinkformError:
    """Return what a git that failed means, in its own words."""
    lines = [line.removeprefix("fatal: ").removeprefix("error: ") for line in said.strip().splitlines()]
    reason = lines[0] if lines else "it said nothing"
    if "dubious ownership" in said:
        return Denied(f"git refuses this repository: {reason}", advice="git config --global --add safe.directory PATH")
    if "not a git repository" in said:
        return NotFound(reason)
    if "cannot lock ref" in said or ".lock" in said:
        return Conflict(f"git {word}: {reason}", advice="another git is at work here; try again")
    return FlinkformError(f"git {word} failed: {reason}")
