"""Where the files of a jobs folder come from: a folder on disk, or anything that can list and read."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from flinkform.errors import Invalid, NotFound, Position

PART = ".part"
"""The file that says of a jobs folder that it is a part of one: what is missing from it is somewhere else."""
_CHUNK = 32 * 1024
"""Bytes asked for first: nearly every file has fewer, and asking for all that it may have costs time."""


class Tree(Protocol):
    """Files by path; paths are relative to the jobs folder, with `/`."""

    def files(self) -> Iterable[str]:
        """Every file's path, in any order; names that start with a dot are left out."""
        ...

    def read(self, path: str, limit: int) -> bytes:
        """The bytes of a file; Invalid where it has more than *limit*."""
        ...

    def shown(self, path: str) -> str:
        """The path as a person would type it."""
        ...


class Folder:
    """A folder on disk. Links inside it to files inside it are followed; all others are refused."""

    def __init__(self, root: Path) -> None:
        self._root = root.as_posix()
        self._real = os.path.realpath(root)
        self.part = (root / PART).exists()

    def files(self) -> Iterator[str]:
        if not Path(self._root).is_dir():
            raise NotFound(f"there is no folder {self._root}", advice="keep job files in jobs/<namespace>/<name>.sql")
        waiting = [""]
        while waiting:
            below = waiting.pop()
            with os.scandir(f"{self._root}/{below}") as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(f"{below}{entry.name}/")
                    else:
                        yield self._file(below + entry.name, entry)

    def read(self, path: str, limit: int) -> bytes:
        try:
            with open(f"{self._root}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - there are ten thousand, and Path is slow
                data = file.read(_CHUNK)
                if len(data) == _CHUNK:
                    data += file.read(max(0, limit + 1 - _CHUNK))
        except OSError as error:
            reason = (error.strerror or "it cannot be read").lower()
            raise Invalid(f"expected a readable file: {reason}", position=self._start(path)) from error
        if len(data) > limit:
            raise Invalid(f"expected at most {limit:,} bytes, got more", position=self._start(path))
        return data

    def shown(self, path: str) -> str:
        return path if self._root == "." else f"{self._root}/{path}"

    def _file(self, path: str, entry: os.DirEntry[str]) -> str:
        if not path.isascii() and not _utf8(path):
            shown = path.encode(errors="backslashreplace").decode()
            raise Invalid("expected a file name in UTF-8", position=self._start(shown))
        if entry.is_symlink() and not self._inside(entry.path):
            raise Invalid("expected a file of this folder, got a link that leaves it", position=self._start(path))
        if not entry.is_file():
            kind = "a link to a folder" if entry.is_dir() else "something else"
            raise Invalid(f"expected a file, got {kind}", position=self._start(path), advice="remove it from the tree")
        return path

    def _inside(self, path: str) -> bool:
        return os.path.realpath(path).startswith(self._real + os.sep)

    def _start(self, path: str) -> Position:
        return Position(self.shown(path), 1, 1)


def _utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
