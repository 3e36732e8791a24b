"""The files of a commit, read from Git's objects: what `jobfile` takes in place of a folder."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping

from flinkform.errors import Invalid, NotFound, Position
from flinkform.release.git import LINK, MODULE, Entry, Objects

_LINK_LIMIT = 4096
_LINKS = 16
"""How many links a path may go through."""


class CommitTree:
    """A folder of a commit. Links inside it to files inside it are followed; all others are refused.

    *entries* are by path below the folder, which *name* is, as a person would type it.
    """

    def __init__(self, objects: Objects, entries: Mapping[str, Entry], name: str) -> None:
        self._objects = objects
        self._entries = entries
        self._name = name
        self._kept: dict[str, bytes] = {}

    def files(self) -> Iterator[str]:
        """Every file's path; Invalid for a name or an entry that no folder on disk could have."""
        for path, entry in self._entries.items():
            if any(part.startswith(".") for part in path.split("/")):
                continue
            if entry.mode == MODULE:
                advice = "job files have to be in this repository"
                raise Invalid("expected a file, got a submodule", position=self._start(path), advice=advice)
            try:
                path.encode()
            except UnicodeEncodeError:
                raise Invalid("expected a file name in UTF-8", position=self._start(path)) from None
            self.followed(path)
            yield path

    def read(self, path: str, limit: int) -> bytes:
        """The bytes of a file; Invalid where it has more than *limit*."""
        entry = self._entries.get(self.followed(path))
        if entry is None:
            raise NotFound(f"there is no file {self.shown(path)}")
        data = self._kept.get(entry.object)
        if data is None:
            data = self._objects.one(entry.object, limit)
        if data is None or len(data) > limit:
            raise Invalid(f"expected at most {limit:,} bytes, got more", position=self._start(path))
        return data

    def fetch(self, paths: Iterable[str], limit: int) -> None:
        """Read many files in one go, so that `read` finds them here."""
        names = {self._entries[end].object for path in paths if (end := self.followed(path)) in self._entries}
        for name, data in self._objects.read(sorted(names), limit):
            if data is not None:
                self._kept[name] = data

    def shown(self, path: str) -> str:
        """The path as a person would type it; what no terminal should get is escaped."""
        whole = f"{self._name}/{path}" if self._name else path
        return whole if whole.isprintable() else "".join(c if c.isprintable() else _escaped(c) for c in whole)

    def followed(self, path: str) -> str:
        """Return the path of the file that *path* stands for: itself, unless it is a link."""
        end = path
        for _ in range(_LINKS):
            entry = self._entries.get(end)
            if entry is None or entry.mode != LINK:
                return end
            target = (self._objects.one(entry.object, _LINK_LIMIT) or b"").decode(errors="surrogateescape")
            end = posixpath.normpath(posixpath.join(posixpath.dirname(end), target))
            if target.startswith("/") or end not in self._entries:
                raise self._stray(path, end)
        raise Invalid("expected a file, got a link that leads to itself", position=self._start(path))

    def _stray(self, path: str, end: str) -> Invalid:
        if any(other.startswith(f"{end}/") for other in self._entries):
            return Invalid("expected a file, got a link to a folder", position=self._start(path))
        advice = "remove it from the tree"
        return Invalid(
            "expected a file of this folder, got a link that leaves it", position=self._start(path), advice=advice
        )

    def _start(self, path: str) -> Position:
        return Position(self.shown(path), 1, 1)


def below(entries: Mapping[str, Entry], folder: str) -> dict[str, Entry]:
    """Return what lies below *folder*, by path from there."""
    start = f"{folder}/"
    return {path.removeprefix(start): entry for path, entry in entries.items() if path.startswith(start)}


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", errors="backslashreplace").decode()
