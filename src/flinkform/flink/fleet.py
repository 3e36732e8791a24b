"""Which JVM a job sits in, and all of them behind one door: most share one, those that ask for it get their own."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from flinkform.errors import Invalid
from flinkform.flink.runtime import Runtime

ISOLATION = "flinkform.isolation"
"""A job's option, beside Flink's: `own` gives it a JVM of its own, `shared` (the default) does not."""
HEAP = "flinkform.heap"
"""A job's option: the Java heap of its own JVM, like 512m or 2g."""


class Seat(NamedTuple):
    """A place to run in: one runtime for each that differs. Empty means the usual: engine, company, heap."""

    engine: str = ""
    group: str = ""
    """Those of one group share a JVM."""
    heap: str = ""
    target: str = ""
    """A session cluster that runs somewhere else; the rest is its own affair."""
    cluster: str = ""
    """The id of a session cluster beside us; its configuration says the rest."""

    @property
    def folder(self) -> str:
        """A relative path of its own, for the files of that JVM; `.` for the usual one."""
        if self.cluster:
            return f"seats/cluster-{self.cluster}"
        return "/".join(("seats", "-".join(part or "any" for part in self[:4]))) if any(self) else "."


SHARED = Seat()


def seat(options: Mapping[str, str], *, alone: str) -> Seat:
    """The seat that a job's options ask for; *alone* names the group that nobody else is in. Invalid: they cannot."""
    wanted, heap = options.get(ISOLATION, "shared"), options.get(HEAP, "")
    if wanted not in ("shared", "own"):
        raise Invalid(f"expected {ISOLATION} to be shared or own, got {wanted!r}")
    if heap and not re.fullmatch(r"[1-9]\d{0,8}[mg]", heap):
        raise Invalid(f"expected {HEAP} to be a size such as 512m or 2g, got {heap!r}")
    if heap and wanted == "shared":
        raise Invalid(f"{HEAP} is for a job with a JVM of its own", advice=f"set {ISOLATION} to own as well")
    return Seat(group=alone, heap=heap) if wanted == "own" else SHARED


class Fleet:
    """The runtimes of one control plane, each made by *make* when its seat is first asked for; safe from threads."""

    def __init__(self, make: Callable[[Seat], Runtime]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._runtimes: dict[Seat, Runtime] = {}

    def at(self, seat: Seat = SHARED) -> Runtime:
        with self._lock:
            if seat not in self._runtimes:
                self._runtimes[seat] = self._make(seat)
            return self._runtimes[seat]

    def forget(self, seat: Seat) -> Runtime | None:
        """Return the runtime of a seat, which is the caller's to end; the next one there is made anew."""
        with self._lock:
            return self._runtimes.pop(seat, None)

    def stop(self) -> None:
        """End every runtime, all at the same time."""
        with self._lock:
            runtimes = list(self._runtimes.values())
        with ThreadPoolExecutor(max(1, len(runtimes)), "stop") as executor:
            list(executor.map(lambda runtime: runtime.stop(), runtimes))
