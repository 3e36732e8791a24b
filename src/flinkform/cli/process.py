"""Another process on this machine by its id: whether it lives, and what it runs; without /proc (macOS) `ps` says it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_PROC = Path("/proc")


def command(pid: int, *, proc: Path = _PROC) -> str | None:
    """The words of a process's command with blanks between; None if there is none, '' if that cannot be told."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except PermissionError:
        return ""
    return _kept(proc / str(pid)) if (proc / "self").exists() else _listed(pid)


def _kept(folder: Path) -> str | None:
    try:
        words = (folder / "cmdline").read_bytes()
        status = (folder / "stat").read_text(errors="replace")
    except FileNotFoundError:
        return None
    except OSError:
        return ""
    # Nothing is there of a zombie, and of a program that begins this very moment.
    if not words and status.rpartition(")")[2].split()[0] == "Z":
        return None
    return os.fsdecode(words).replace("\0", " ").strip()


def _listed(pid: int) -> str | None:
    try:
        words = ["ps", "-ww", "-o", "stat=", "-o", "command=", "-p", str(pid)]
        said = subprocess.run(words, capture_output=True, check=False, timeout=10).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    state, _, text = os.fsdecode(said).strip().partition(" ")
    return None if not state or state.startswith("Z") else text.strip()
