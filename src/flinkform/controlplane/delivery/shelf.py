"""Files by their content: each is kept once, under its sha256, and names point at it."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from flinkform.controlplane import home
from flinkform.errors import Invalid, Unavailable

LIMIT = 512 * 1024 * 1024
"""Bytes that one file may have; programs with all they need have 10 to 200 MiB."""
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(slots=True)
class Incoming:
    """A file on its way; nothing of it is seen before it is whole."""

    shelf: Shelf
    file: IO[bytes]
    size: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> None:
        """Take the next bytes. Invalid: they are too many. Unavailable: the disk is full."""
        self.size += len(data)
        if self.size > self.shelf.limit:
            raise Invalid(f"expected a file of at most {self.shelf.limit} bytes, got more")
        self.digest.update(data)
        try:
            self.file.write(data)
        except OSError as error:
            raise Unavailable(f"the file cannot be kept: {error.strerror}") from error

    def keep(self, *, sha256: str = "") -> str:
        """Put it on the shelf and return its sha256. Invalid: that is not the one that was expected."""
        found = str(self.digest.hexdigest())
        if sha256 and found != sha256:
            raise Invalid(f"expected a file with sha256 {sha256}, got {found}", advice="pin the file that is there")
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            Path(self.file.name).rename(self.shelf.path(found))
        except OSError as error:
            raise Unavailable(f"the file cannot be kept: {error.strerror}") from error
        return found


class Shelf:
    """A private folder of files by content, and of names for them; safe from many threads and processes."""

    def __init__(self, root: Path, *, limit: int = LIMIT) -> None:
        self._root = root
        self.limit = limit

    @contextmanager
    def incoming(self) -> Iterator[Incoming]:
        """Give a place for a new file; what was not kept is removed."""
        folder = self._folder("files")
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".new-", delete=False) as file:
            try:
                yield Incoming(self, file)
            finally:
                with suppress(FileNotFoundError):
                    Path(file.name).unlink()

    def path(self, sha256: str) -> Path:
        """Where the file of that sha256 is, or would be."""
        if not DIGEST.fullmatch(sha256):
            raise Invalid(f"expected a sha256 of 64 hexadecimal digits, got {sha256[:80]!r}")
        return self._root / "files" / f"{sha256}.jar"

    def has(self, sha256: str) -> bool:
        return self.path(sha256).is_file()

    def used(self, sha256: str) -> Path:
        """Return where a file is that somebody needs now; from now on its age counts."""
        path = self.path(sha256)
        with suppress(FileNotFoundError):
            os.utime(path)
        return path

    def sweep(self, needed: Collection[str], *, now: float, seconds: float) -> Iterator[str]:
        """Remove files that are not *needed* and were not for so many *seconds*, and names of none; yield the sha256.

        When a file was needed last is its time of change, in seconds since the epoch as *now* is.
        """
        for path in sorted(self._folder("files").iterdir()):
            with suppress(FileNotFoundError):
                if path.stem in needed:
                    os.utime(path, (now, now))
                elif path.stat().st_mtime < now - seconds:
                    path.unlink()
                    yield path.stem
        for label in sorted(self._folder("names").iterdir()):
            with suppress(FileNotFoundError, UnicodeDecodeError):
                found = label.read_text(encoding="ascii").strip()
                if DIGEST.fullmatch(found) and not self.has(found) and label.stat().st_mtime < now - seconds:
                    label.unlink()

    def name(self, place: str, sha256: str) -> None:
        """Let *place*, a URI, mean that file from now on."""
        home.write(self._label(place), sha256 + "\n")

    def named(self, place: str) -> str | None:
        """The sha256 that a URI means; None if nobody named it, or the file is gone."""
        try:
            found = self._label(place).read_text(encoding="ascii").strip()
        except (FileNotFoundError, UnicodeDecodeError):
            return None
        return found if DIGEST.fullmatch(found) and self.has(found) else None

    def _label(self, place: str) -> Path:
        # A digest: a URI may be longer than a file's name.
        return self._folder("names") / hashlib.sha256(quote(place).encode()).hexdigest()

    def _folder(self, name: str) -> Path:
        folder = self._root / name
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Unavailable(f"{folder} cannot be made: {error.strerror}") from error
        return folder
