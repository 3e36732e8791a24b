"""Somebody who owns one job and cannot leave it alone, however often the control plane dies on them."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flinkform.errors import Conflict, FlinkformError, NotFound, Unavailable
from tests.flink.plane import ENDED, Plane
from tests.soak import output

_PAUSE = 0.2


@dataclass
class Owner:
    """Asks in a thread of its own, and remembers what was answered: none of that may be forgotten."""

    name: str
    plane: Plane
    place: Path
    seed: str
    options: Mapping[str, str] = field(default_factory=dict)
    deployment: str = ""
    edit: int = 1
    runs: set[str] = field(default_factory=set)
    """The jobs whose start was answered."""
    doubtful: int = 0
    """Starts that nobody answered: each may have made a job."""
    savepoints: set[str] = field(default_factory=set)
    ended: dict[str, str] = field(default_factory=dict)
    """Jobs seen at their end, and which that was."""
    cancelled: set[str] = field(default_factory=set)
    """Jobs whose end without a savepoint was answered."""
    done: Counter[str] = field(default_factory=Counter)
    wrongs: list[str] = field(default_factory=list)

    def begin(self) -> None:
        self.place.mkdir(parents=True)
        options = {**output.OPTIONS, **self.options}
        self.deployment = self.plane.deploy(self.name, output.script(self.place, self.edit), options=options)
        self._draw = random.Random(self.seed)  # noqa: S311 -- repeatable on purpose
        self._pausing = threading.Event()
        self._thread: threading.Thread | None = None

    def go(self) -> None:
        """Be busy until `pause`."""
        self._pausing.clear()
        self._thread = threading.Thread(target=self._busy, name=self.name, daemon=True)
        self._thread.start()

    def pause(self) -> None:
        """End after the step under way."""
        self._pausing.set()
        if self._thread:
            self._thread.join()

    def become(self, *, running: bool, until: Callable[[], bool]) -> bool:
        """Ask until the job is as wanted, or *until* says it is enough."""
        while not until() and not self.wrongs:
            if self._steer(running=running):
                return True
            time.sleep(_PAUSE)
        return False

    def check(self) -> None:
        """Compare what the control plane tells now with all that was ever answered."""
        jobs = {str(one["jobId"]): one for one in self._jobs()}
        self._expect(self.runs <= jobs.keys(), f"forgot jobs {self.runs - jobs.keys()}")
        self._expect(len(jobs) <= len(self.runs) + self.doubtful, "has jobs that nobody asked for")
        for job_id, job in jobs.items():
            live = _state(job) not in ENDED
            if not live:
                self._saw(job)
            self._expect(not (live and job_id in self.ended), f"job {job_id} came back")
            self._expect(not (live and job_id in self.cancelled), f"forgot that {job_id} was stopped")
        kept = self.plane.call("GetDeployment", {"deploymentId": self.deployment})
        script = kept["artifact"]["sqlArtifact"]["sqlScript"]
        self._expect(script == output.script(self.place, self.edit), f"forgot edit {self.edit}")
        for one in self.savepoints:
            state = self.plane.call("GetSavepoint", {"savepointId": one})["status"]["state"]
            self._expect(state in ("COMPLETED", "FAILED"), f"savepoint {one} is {state}")

    def _saw(self, job: Mapping[str, Any]) -> None:
        """Note an end: each job has one, and none ends but by being stopped."""
        job_id, state = str(job["jobId"]), _state(job)
        if job_id not in self.ended:
            reason = job["status"].get("failure", {}).get("message", "")
            self._expect(state == "CANCELLED", f"job {job_id} is {state}: {reason}")
        self._expect(self.ended.setdefault(job_id, state) == state, f"job {job_id} ended twice")

    def _expect(self, met: bool, wrong: str) -> None:
        if not met:
            self.wrongs.append(f"{self.name} {wrong}")

    def _busy(self) -> None:
        acts = (self._upgrade,) * 4 + (self._toggle,) * 2 + (self._cancel, self._rival, self._save, self._save)
        while not self._pausing.is_set():
            self._draw.choice(acts)()
            self._pausing.wait(self._draw.uniform(0, 3))

    def _upgrade(self) -> None:
        if self._to(running=False):
            self._edit()
            self._to(running=True)
            self.done["upgrades"] += 1

    def _toggle(self) -> None:
        if self._to(running=False) and self._to(running=True):
            self.done["toggles"] += 1

    def _cancel(self) -> None:
        """End it without a savepoint; it goes on from its newest checkpoint."""
        job = self._asked(self._newest)
        if job and _state(job) in ("STARTING", "RUNNING") and self._asked(lambda: self._stop(job, "NONE")):
            self.cancelled.add(str(job["jobId"]))
            self._to(running=True)
            self.done["cancels"] += 1

    def _rival(self) -> None:
        """Begin an upgrade, and another one, without waiting for anything."""
        job = self._asked(self._newest)
        if job and _state(job) not in ENDED:
            self._asked(lambda: self._stop(job, "STOP_WITH_SAVEPOINT"))
            self._edit()
            self._asked(self._start)
            self._edit()
            self._asked(lambda: self._stop(job, "STOP_WITH_SAVEPOINT"))
            self._asked(self._start)
            self.done["rivals"] += 1
        self._to(running=True)

    def _save(self) -> None:
        body = {"deploymentId": self.deployment, "description": "soak"}
        if made := self._asked(lambda: self.plane.call("CreateSavepoint", body=body)):
            self.savepoints.add(str(made["savepointId"]))
            self.done["savepoints"] += 1

    def _edit(self) -> None:
        """Edit until that is answered: an edit that nobody answered is made again."""
        self.edit += 1
        text = output.script(self.place, self.edit)

        def edited() -> bool:
            self.plane.edit(self.deployment, text)
            return True

        while not self._asked(edited):
            time.sleep(_PAUSE)

    def _to(self, *, running: bool) -> bool:
        return self.become(running=running, until=self._pausing.is_set)

    def _steer(self, *, running: bool) -> bool:
        """One step towards the state; True when it is reached."""
        try:
            job = self._newest()
        except FlinkformError:
            return False
        state = _state(job) if job else ""
        if job and state in ENDED:
            self._saw(job)
        if running:
            if state in ENDED or job is None:
                self._asked(self._start)
            return state == "RUNNING"
        if job and state == "RUNNING":
            self._asked(lambda: self._stop(job, "STOP_WITH_SAVEPOINT"))
        return job is None or state in ENDED

    def _start(self) -> str:
        try:
            made = self.plane.start(self.deployment, "LATEST_STATE")
        except Unavailable:
            self.doubtful += 1
            raise
        self.runs.add(made)
        return made

    def _stop(self, job: Mapping[str, Any], strategy: str) -> bool:
        self.plane.stop(str(job["jobId"]), strategy)
        return True

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """Return what was answered; nothing where it was refused, or nobody answered."""
        try:
            return ask()
        except (Unavailable, Conflict, NotFound):
            return None

    def _newest(self) -> dict[str, Any] | None:
        return next(iter(self._jobs()), None)

    def _jobs(self) -> list[dict[str, Any]]:
        """Every job, newest first."""
        place = {"workspace": self.plane.workspace, "namespace": "team", "deploymentId": self.deployment}
        return list(self.plane.client.pages("ListJobs", place))


def _state(job: Mapping[str, Any]) -> str:
    return str(job["status"]["currentJobStatus"])
