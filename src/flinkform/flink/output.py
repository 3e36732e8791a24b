"""What a process prints, copied to files of bounded size: a pipe that nobody reads would stop it."""

from __future__ import annotations

import queue
import threading
from collections import deque
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import IO, cast

_LIMIT = 10 << 20


class Output:
    """One pipe of a process and the thread that reads it; its first *lines* lines are handed over and kept nowhere."""

    def __init__(self, pipe: IO[bytes] | None, path: Path, *, lines: int = 0) -> None:
        self._pipe = cast("BufferedReader", pipe)
        self._path = path
        self._lines = lines
        self._first: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._last: deque[bytes] = deque(maxlen=20)
        self._thread = threading.Thread(target=self._drain, name=path.name, daemon=True)
        self._thread.start()

    def line(self, *, timeout: float) -> str:
        """The next of the first lines; empty when the process ended or took longer than *timeout* seconds."""
        try:
            return self._first.get(timeout=timeout).decode(errors="replace").strip()
        except queue.Empty:
            return ""

    def join(self) -> None:
        """Wait until what an ended process printed is read; not for ever: a child of it may hold the pipe."""
        self._thread.join(timeout=2)

    def tail(self) -> str:
        """The end of what was printed, in one line."""
        return " ".join(b"".join(self._last).decode(errors="replace").split())[-1000:]

    def _drain(self) -> None:
        with self._pipe:
            for _ in range(self._lines):
                self._first.put(self._pipe.readline())
            copy(self._pipe, self._path, last=self._last)


def copy(pipe: BufferedReader, path: Path, *, last: deque[bytes], limit: int = _LIMIT) -> None:
    """Write a stream to a file; at about *limit* bytes it becomes `.1` and a new one begins.

    What cannot be written, on a full disk, is dropped: the stream must be read to its end all the same.
    """
    while chunk := pipe.read1(1 << 16):
        last.append(chunk)
        with suppress(OSError):
            if path.exists() and path.stat().st_size + len(chunk) > limit:
                path.replace(path.with_name(path.name + ".1"))
            with path.open("ab") as out:
                out.write(chunk)
