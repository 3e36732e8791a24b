"""What a terraform that did not come to its end leaves behind: a lock nobody gives back, a state nobody kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from socket import gethostname
from typing import Any
from urllib.parse import urlsplit

from flinkform.cli import locks
from flinkform.cli.process import command
from flinkform.cli.project import Project
from flinkform.errors import NotFound

_AT_ONCE = 30.0
"""Seconds from terraform's start to its lock, and more: it asks for one first, and then waits if it must."""
_PREFIX = "/state/"


@dataclass(frozen=True, slots=True)
class Note:
    """A file that says which process works on a stack, and since when; it is there while the process is."""

    file: Path

    def write(self, pid: int, began: float) -> None:
        """Note that *pid* works on the stack since *began*, in seconds since the epoch."""
        self.file.write_text(json.dumps({"pid": pid, "began": began}))

    def forget(self) -> None:
        """The process came to its end and gave its lock back."""
        self.file.unlink(missing_ok=True)

    def died(self, mark: str) -> float | None:
        """Return when the noted process began, if it is dead; None where there is none or it lives.

        *mark* is a word of its command: a process id is used again after a while.
        """
        try:
            noted = json.loads(self.file.read_text())
            pid, began = int(noted["pid"]), float(noted["began"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return None if _lives(pid, mark) else began


@dataclass(frozen=True, slots=True)
class Locks:
    """The locks of the states that the control plane of a project keeps."""

    here: Project

    def release(self, stack: Path, began: float) -> str:
        """Give the lock back that a dead terraform took which *began* then; return whose it was, '' if there is none.

        Any other lock is left alone: one that was taken later belongs to somebody who may be at work.
        """
        address = _address(stack, self.here.endpoint())
        held = locks.held(self.here, address) if address else None
        mine = held and str(held["who"]).endswith(f"@{gethostname()}")
        if not held or not mine or not 0 <= _seconds(held) - began <= _AT_ONCE:
            return ""
        try:
            locks.unlock(self.here, address, held["id"])
        except NotFound:
            return ""
        return f"{held['who']} ({held['operation']})"


def _address(stack: Path, endpoint: str) -> str:
    """Return ENVIRONMENT/STACK, where the control plane at *endpoint* keeps the state of a stack; '' if it does not."""
    document = json.loads((stack / "cdk.tf.json").read_text())
    backend = (document.get("terraform", {}).get("backend") or {}).get("http") or {}
    parts = urlsplit(str(backend.get("address") or ""))
    mine = urlsplit(endpoint)
    if (parts.scheme, parts.netloc) != (mine.scheme, mine.netloc) or not parts.path.startswith(_PREFIX):
        return ""
    return parts.path.removeprefix(_PREFIX)


def _seconds(held: Mapping[str, Any]) -> float:
    """Return when the holder says it took the lock, by the clock of its own machine; 0 where it does not."""
    try:
        return datetime.fromisoformat(str(held["created"])).timestamp()
    except (KeyError, ValueError):
        return 0.0


def _lives(pid: int, mark: str) -> bool:
    words = command(pid)
    # What cannot be told may be the one.
    return words is not None and (not words or f" {mark} " in f" {words} ")
