"""The control plane's folder: private, writable, and owned by one control plane and its JVM at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flinkform.errors import Conflict, FlinkformError, Missing, Unavailable

_POLL = 0.2
_ROOM = 1024**2
"""Bytes below which nothing can be relied on."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A held home. *descriptor* is passed on to the JVM: the lock ends when the last of both is dead."""

    descriptor: int

    def release(self) -> None:
        """Give up this process's share; a JVM that still lives keeps its own."""
        with suppress(OSError):
            os.close(self.descriptor)


def prepare(home: Path) -> None:
    """Make *home* and prove that it can be written; Unavailable if it is full, Conflict if it may not be."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / "logs").mkdir(mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=home, prefix=".probe-") as file:
            file.write(b"\0" * 65536)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(home, error) from error


def full(home: Path) -> str:
    """Say how little room is left where *home* is; nothing while there is some."""
    free = shutil.disk_usage(home).free
    return "" if free >= _ROOM else f"{home} is full: {free / 1024**2:.1f} MiB are free"


def lock(home: Path, *, seconds: float, say: Callable[[str], None]) -> Lock:
    """Take *home* for this process; waits up to *seconds* for a predecessor and its JVM, and says so.

    A lock of the kernel, not a file's existence: nothing that dies leaves one behind. Conflict: still held.
    """
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + seconds
    told = False
    while not _taken(descriptor):
        holder = _holder(descriptor)
        if time.monotonic() >= deadline:
            os.close(descriptor)
            raise Conflict(
                f"{home} is in use by another control plane or its JVM (process {holder}), still after {seconds:g} s",
                advice="stop that process, or use another --home",
            )
        if not told:
            say(f"waiting for process {holder} or its JVM to let go of {home}")
            told = True
        time.sleep(_POLL)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return Lock(descriptor)


def identity(home: Path) -> str:
    """A name that no other home has, here or elsewhere: a copy of this one is another one, by its place."""
    file = home / "identity"
    if not file.exists():
        write(file, uuid.uuid4().hex)
    return f"{file.read_text(encoding='utf-8').strip()}@{socket.gethostname()}:{home}"


def held(home: Path) -> bool:
    """Say whether a control plane or its JVM has *home* now."""
    try:
        with (home / "lock").open("rb") as file:
            # Shared, and let go of at once: a control plane that starts this very moment asks again.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def write(path: Path, text: str) -> None:
    """Replace the private file *path* in one step."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _unwritable(path.parent, error) from error


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(descriptor: int) -> str:
    """Return the process id that the holder wrote; it may be gone already while its JVM lives."""
    return os.pread(descriptor, 20, 0).decode(errors="replace") or "unknown"


def _unwritable(folder: Path, error: OSError) -> FlinkformError:
    other = "or choose another home (--home, FLINKFORM_HOME)"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unavailable(full(folder) or f"{folder} is full", advice=f"free some space, {other}")
    reason = (error.strerror or str(error)).lower()
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EEXIST):
        return Missing(f"{folder} cannot be made: {reason}", advice=f"make room for a folder of that name, {other}")
    return Conflict(f"{folder} is not writable: {reason}", advice=f"change its permissions, {other}")
