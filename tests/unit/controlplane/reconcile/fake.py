"""A Flink that does as it is told, in memory, with checkpoints and savepoints as real folders."""

# ruff: noqa: ARG002  the protocol says what it is called with

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flinkform.errors import FlinkformError, NotFound, Unavailable
from flinkform.flink import checkpoints
from flinkform.flink.contents import Contents
from flinkform.flink.plan import Plan
from flinkform.flink.values import Death, Diagnosis, Observed, Phase, Problem, SavepointStatus, Slots, Submission


@dataclass
class Job:
    submission: Submission
    seen: Observed


@dataclass
class FakeRuntime:
    """What a test sets here is what the next call meets; *calls* is what was asked, in order."""

    alive: bool = False
    jobs: dict[str, Job] = field(default_factory=dict)
    calls: list[tuple[str, ...]] = field(default_factory=list)
    start_error: FlinkformError | None = None
    observe_error: FlinkformError | None = None
    submit_error: FlinkformError | Exception | None = None
    rescale_error: FlinkformError | None = None
    levels_error: FlinkformError | None = None
    wanted: dict[str, int] = field(default_factory=dict)
    """The parallelism that was asked for while it ran, by job."""
    lost: set[str] = field(default_factory=set)
    """Calls whose answer is lost: they are done, and raise Unavailable."""
    savepoints: dict[str, tuple[str, str, bool]] = field(default_factory=dict)
    outcomes: dict[str, SavepointStatus] = field(default_factory=dict)
    diagnosis: Diagnosis | None = None
    death: Death = field(default_factory=lambda: Death(""))
    numbers: dict[str, int] = field(default_factory=dict)
    """The newest checkpoint of each job; a job that begins from one counts on."""
    plans: dict[str, Plan | FlinkformError] = field(default_factory=dict)
    """What each script compiles to; others are batch."""
    held: Contents | None = None
    """What every savepoint and checkpoint holds."""
    loud: dict[str, str] = field(default_factory=dict)
    """The levels that loggers were told last."""
    rest: str = "http://127.0.0.1:1"
    lasting: bool = False
    life: str | None = None
    silent: str = ""
    adaptive: bool = True

    def start(self) -> None:
        self.calls.append(("start",))
        if self.start_error:
            raise self.start_error
        self.alive = True

    def stop(self) -> None:
        self.crash()

    def crash(self) -> None:
        """The JVM is killed: nothing of it is left but files."""
        self.alive = False
        self.loud = {}
        self.jobs.clear()
        self.wanted.clear()
        self.savepoints.clear()
        self.outcomes.clear()

    def autopsy(self) -> Death:
        return self.death

    def die(self, reason: str, *suspects: str) -> None:
        """The JVM ends by itself."""
        self.death = Death(reason, suspects)
        self.crash()

    def submit(self, job: Submission) -> None:
        self._call("submit", job.id)
        if self.submit_error:
            raise self.submit_error
        if job.id not in self.jobs:
            total = job.parallelism
            self.jobs[job.id] = Job(job, Observed(Phase.STARTING, 1, None, 0, total))
        self._answer("submit")

    def observe(self) -> dict[str, Observed]:
        if self.observe_error:
            raise self.observe_error
        self._running()
        return {job_id: job.seen for job_id, job in self.jobs.items()}

    def failure(self, job_id: str) -> Diagnosis | None:
        self._call("failure", job_id)
        return self.diagnosis

    def savepoint(self, job_id: str, directory: str, *, stop: bool, drain: bool = False, native: bool = False) -> str:
        self._call("savepoint", job_id, "stop" if stop else "go on", *(("drain",) if drain else ()))
        if job_id not in self.jobs:
            raise NotFound("no such job")
        known = [name for name, one in self.savepoints.items() if one == (job_id, directory, stop)]
        trigger = known[0] if known else f"trigger-{len(self.calls)}"
        self.savepoints[trigger] = (job_id, directory, stop)
        self._answer("savepoint")
        return trigger

    def savepoint_status(self, job_id: str, trigger: str) -> SavepointStatus:
        self._running()
        if trigger not in self.savepoints:
            raise NotFound("no such trigger")
        return self.outcomes.get(trigger, SavepointStatus(done=False))

    def cancel(self, job_id: str) -> None:
        self._call("cancel", job_id)
        if job_id in self.jobs and not self.jobs[job_id].seen.state.final:
            self.see(job_id, Phase.STOPPING)
        self._answer("cancel")

    def rescale(self, job_id: str, parallelism: int) -> int:
        self._call("rescale", job_id, str(parallelism))
        if self.rescale_error:
            raise self.rescale_error
        if job_id not in self.jobs:
            raise NotFound("no such job")
        self.wanted[job_id] = parallelism
        self._answer("rescale")
        return parallelism

    def validate(self, script: str, *, batch: bool, options: Mapping[str, str]) -> list[Problem]:
        return []

    def compile(self, script: str, options: Mapping[str, str], *, name: str, batch: bool) -> Plan | None:
        self._call("compile", name)
        found = self.plans.get(script)
        if isinstance(found, FlinkformError):
            raise found
        return found

    def contents(self, location: str) -> Contents | None:
        self._call("contents", location)
        return self.held

    def log_path(self, job_id: str) -> Path | None:
        return None

    def log(self, job_id: str, *, tail: int = 65536) -> str:
        return ""

    def levels(self, wanted: Mapping[str, str]) -> None:
        self._call("levels")
        if self.levels_error:
            raise self.levels_error
        self.loud = dict(wanted)

    def slots(self) -> Slots:
        return Slots(10, 10)

    def take_up(self, job_id: str) -> None:
        """Let a job have the parallelism that was asked for."""
        job = self.jobs[job_id]
        job.seen = replace(job.seen, tasks_total=self.wanted[job_id])

    def see(self, job_id: str, phase: Phase, *, end: int | None = None) -> None:
        """Let a job be in a phase."""
        job = self.jobs[job_id]
        job.seen = replace(job.seen, state=phase, end=end)

    def fail(self, job_id: str, *times: int) -> None:
        """Let a job fail and come back before anybody looks; *times* are those of all its failures."""
        job = self.jobs[job_id]
        job.seen = replace(job.seen, changed=job.seen.changed + 1)
        self.diagnosis = Diagnosis("division by zero", "/ by zero", times=times)

    def checkpoint(self, job_id: str) -> str:
        """Let a job complete a checkpoint; where it is."""
        self.numbers[job_id] = self.numbers.get(job_id, 0) + 1
        base = checkpoints.local(self.jobs[job_id].submission.checkpoint_dir)
        folder = base / job_id / f"chk-{self.numbers[job_id]}"
        return _complete(folder)

    def finish_savepoint(
        self, trigger: str | None = None, *, error: str | None = None, written: bool = False
    ) -> str | None:
        """Let a savepoint under way end; where it is. It may fail after it was *written*: the job did not stop."""
        name = trigger or list(self.savepoints)[-1]
        job_id, directory, stop = self.savepoints[name]
        if error:
            self.outcomes[name] = SavepointStatus(done=True, error=error)
            return _complete(checkpoints.local(directory) / f"savepoint-{name}") if written else None
        place = _complete(checkpoints.local(directory) / f"savepoint-{name}")
        self.outcomes[name] = SavepointStatus(done=True, location=place)
        if stop:
            self.see(job_id, Phase.FINISHED, end=5)
        return place

    def asked(self, name: str) -> list[tuple[str, ...]]:
        return [call for call in self.calls if call[0] == name]

    def _call(self, *call: str) -> None:
        self.calls.append(call)
        self._running()

    def _running(self) -> None:
        if not self.alive:
            raise Unavailable("Flink does not run")

    def _answer(self, name: str) -> None:
        if name in self.lost:
            raise Unavailable("the answer was lost")


class Inline(Executor):
    """Does the work before `submit` returns, so that a test sees what one tick does."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        return done


def _complete(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "_metadata").write_bytes(b"state")
    return folder.as_uri()
