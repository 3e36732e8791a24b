"""Who releases to an environment: one at a time, in this home or anywhere else that the control plane is asked from.

The claim is a lock at the control plane which its holder renews: whoever was killed loses it within a minute, and at
once where the next one works in the same home. At a control plane that keeps no states only the home is looked at.
"""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from socket import gethostname
from threading import Event, Thread
from typing import IO, Any
from urllib.parse import quote

from flinkform.cli import api, locks
from flinkform.cli.project import Project
from flinkform.errors import Conflict, FlinkformError, NotFound, Unavailable

NAME = ".release"
"""Where the lock is, beside the stacks of the environment: no folder of jobs begins with a dot."""
LEASE = 60.0
"""Seconds after which a claim that nobody renewed is anybody's."""
_RENEWED = 10.0
BUSY = "busy"


@dataclass(slots=True)
class Claim:
    """A claim that is held; *document* is what others are told of it."""

    here: Project
    document: Mapping[str, str]
    shared: bool = False
    _ended: Event = field(default_factory=Event)
    _lost: Event = field(default_factory=Event)

    def still(self) -> None:
        """Raise Conflict where it is somebody else's by now: this process stood still for too long."""
        if self._lost.is_set():
            raise Conflict(
                f"somebody else took {self.here.environment} over, as nothing was heard from here for {LEASE:g} s",
                advice="see `flinkform history`, and apply the release again",
                code=BUSY,
            )

    def take(self) -> None:
        """Take the lock at the control plane. Conflict: somebody else holds it, and says so still."""
        try:
            if not self._taken() and not (self._freed() and self._taken()):
                raise self._refused()
        except (NotFound, Unavailable):
            return
        self.shared = True
        Thread(target=self._renew, daemon=True).start()

    def give_back(self) -> None:
        """Give it back; where that does not work it ends by itself."""
        self._ended.set()
        if self.shared:
            with suppress(FlinkformError):
                self.forget(self.document["ID"])

    def forget(self, held: str) -> None:
        """Break the lock *held*, if it is still the one."""
        with suppress(NotFound, Conflict):
            locks.unlock(self.here, _address(self.here), held)

    def _taken(self) -> bool:
        try:
            api.call(self.here, "LOCK", f"/state/{quote(_address(self.here))}", self.document)
        except Conflict:
            return False
        return True

    def _freed(self) -> bool:
        """Break the lock of somebody who is heard of no more."""
        held = locks.held(self.here, _address(self.here))
        if held is not None and float(held["seconds"]) < LEASE:
            return False
        if held is not None:
            self.forget(held["id"])
        return True

    def _refused(self) -> Conflict:
        nobody: Mapping[str, Any] = {"who": "somebody", "operation": "something", "created": "just now", "seconds": 0}
        held = locks.held(self.here, _address(self.here)) or nobody
        left = max(0.0, LEASE - float(held["seconds"]))
        advice = f"wait until it has ended; if it was killed, try again in {left:.0f} s"
        return _busy(self.here, held["operation"], held["who"], held["created"], advice)

    def _renew(self) -> None:
        while not self._ended.wait(_RENEWED):
            with suppress(FlinkformError):
                if not self._taken():
                    self._lost.set()
                    return


@contextmanager
def claimed(here: Project, doing: str) -> Iterator[Claim]:
    """Hold the environment of *here* for *doing*, in words such as `apply r-1`. Conflict says who has it."""
    here.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (here.home / "apply.lock").open("a+") as file:
        before = _read(file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _here(here, before) from None
        claim = Claim(here, _document(here, doing))
        if before.get("ID"):  # whoever wrote this died, as the lock of the file is ours
            with suppress(FlinkformError):
                Claim(here.within(before["Environment"]), before).forget(before["ID"])
        _write(file, claim.document)
        try:
            claim.take()
            yield claim
        finally:
            claim.give_back()
            _write(file, {})


def _document(here: Project, doing: str) -> dict[str, str]:
    return {
        "ID": str(uuid.uuid4()),
        "Operation": doing,
        "Who": f"{here.shell.get('USER') or os.getuid()}@{gethostname()}, process {os.getpid()}",
        "Created": datetime.now(UTC).isoformat(timespec="seconds"),
        "Environment": here.environment,
    }


def _here(here: Project, held: Mapping[str, str]) -> Conflict:
    """Return the refusal by somebody in this home, who may be at work in another environment."""
    told = {"Operation": "another release", "Who": "somebody", "Created": "just now", **held}
    place = here.within(told.get("Environment", here.environment))
    return _busy(place, told["Operation"], told["Who"], told["Created"], "wait until it has ended")


def _busy(here: Project, doing: str, who: str, since: str, advice: str) -> Conflict:
    return Conflict(f"{here.environment} is held by `{doing}` of {who}, since {since}", advice=advice, code=BUSY)


def _read(file: IO[str]) -> dict[str, str]:
    file.seek(0)
    try:
        found = json.loads(file.read() or "{}")
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, dict) else {}


def _write(file: IO[str], document: Mapping[str, str]) -> None:
    file.truncate(0)
    file.write(json.dumps(document))
    file.flush()


def _address(here: Project) -> str:
    return f"{here.environment}/{NAME}"
