"""Watches Flink through its own REST, apart from the control plane: never two jobs of one name, in whatever JVMs."""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

_PAUSE = 0.1
_ENDED = frozenset({"FINISHED", "CANCELED", "FAILED"})
_LISTENING = "0A"


class Witness:
    """Looks at every JVM again and again, in a thread of its own; *jvms* says which there are."""

    def __init__(self, jvms: Callable[[], list[int]]) -> None:
        self._jvms = jvms
        self._ports: dict[int, int] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)
        self.looks = 0
        """At JVMs that answered."""
        self.jobs = 0
        """Jobs seen, a job counted at each look."""
        self.wrongs: list[str] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if not self._thread.is_alive():
            self.wrongs.append("the witness did not see it to the end")
        self._thread.join()

    def running(self) -> dict[str, list[str]]:
        """What is there now: Flink's ids of the jobs that have not ended, by name."""
        found: dict[str, list[str]] = defaultdict(list)
        for pid in self._jvms():
            for job in self._overview(pid):
                if job["state"] not in _ENDED:
                    found[job["name"]].append(job["jid"])
        return found

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE):
            for name, ids in self.running().items():
                self.jobs += len(ids)
                if len(ids) > 1:
                    self.wrongs.append(f"{time.strftime('%H:%M:%S')} {name} ran {len(ids)} times: {', '.join(ids)}")

    def _overview(self, pid: int) -> list[dict[str, Any]]:
        """The jobs of a JVM; none while it does not answer."""
        port = self._ports.get(pid)
        for one in [port] if port else _listens(pid):
            try:
                found = _get(one, "/jobs/overview", timeout=5 if port else 1)["jobs"]
            except (OSError, HTTPException, ValueError, KeyError, TypeError):
                continue
            self._ports[pid] = one
            self.looks += 1
            return list(found)
        self._ports.pop(pid, None)
        return []


def _get(port: int, path: str, *, timeout: float) -> Any:
    with closing(HTTPConnection("127.0.0.1", port, timeout=timeout)) as connection:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())


def _listens(pid: int) -> list[int]:
    """The ports that a process listens on."""
    found, mine = [], set()
    with suppress(OSError):
        for one in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                mine.add(str(one.readlink()))
        for name in ("tcp", "tcp6"):
            lines = map(str.split, Path(f"/proc/{pid}/net/{name}").read_text().splitlines())
            found += [line[1] for line in lines if line[3] == _LISTENING and f"socket:[{line[9]}]" in mine]
    return [int(address.rpartition(":")[2], 16) for address in found]
