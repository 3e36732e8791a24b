"""What a runtime of Flink jobs can do, and the one that runs Flink beside us."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from flinkform.errors import Conflict, Unavailable, few
from flinkform.flink import engines, jobs, log
from flinkform.flink.autopsy import examine
from flinkform.flink.checkpoints import uri
from flinkform.flink.cluster import Cluster, job_defaults
from flinkform.flink.compile import compiled
from flinkform.flink.contents import Contents, contents
from flinkform.flink.diagnosis import diagnose
from flinkform.flink.gateway import Gateway
from flinkform.flink.jvm import Jvm
from flinkform.flink.plan import Plan
from flinkform.flink.program import packed
from flinkform.flink.rest import Page, Rest
from flinkform.flink.settings import Settings
from flinkform.flink.submit import Prepared
from flinkform.flink.validate import Planner
from flinkform.flink.values import Death, Diagnosis, Observed, Problem, SavepointStatus, Slots, Submission

_SHOWN = 5
"""Holders of slots that an error names."""
_REMEMBERED = 1000
"""Jobs of a JVM that may turn out to be what it died of."""


class Runtime(Protocol):
    """Something that runs Flink jobs.

    Every call is safe from many threads and bounded in time. A runtime that does not answer raises
    Unavailable: that says nothing about the jobs in it.
    """

    @property
    def alive(self) -> bool: ...

    @property
    def lasting(self) -> bool:
        """Whether its jobs go on without us, and whatever we can see of it."""
        ...

    @property
    def life(self) -> str | None:
        """What names the stretch in which its jobs live; None where that is from one start to its end."""
        ...

    @property
    def silent(self) -> str:
        """Why it does not answer although its jobs may go on; empty while it does."""
        ...

    @property
    def adaptive(self) -> bool:
        """Whether a job can get another parallelism while it runs."""
        ...

    @property
    def rest(self) -> str:
        """Base URL of Flink's REST; Unavailable while there is none."""
        ...

    def page(self, path: str) -> Page:
        """What Flink's REST answers to a GET, as it comes."""
        ...

    def start(self) -> None:
        """Return when jobs can be submitted; harmless when it runs already.

        Missing: no Flink or Java. Unavailable: it did not come up, with the end of what it printed. Killed: it was
        ended from outside meanwhile.
        """
        ...

    def stop(self) -> None:
        """End it and everything in it; checkpoints stay. Never raises, harmless when it does not run."""
        ...

    def autopsy(self) -> Death:
        """Why it died, and of which job; to be asked before it is started again."""
        ...

    def submit(self, job: Submission) -> None:
        """Hand a job over; returns before it runs. The same id again is not an error while Flink remembers it.

        Invalid: the script, with the place in the message and `position`. Conflict: not enough slots.
        """
        ...

    def observe(self) -> dict[str, Observed]:
        """Every job this runtime remembers, by id, at the cost of one call."""
        ...

    def failure(self, job_id: str) -> Diagnosis | None:
        """Why a job failed or keeps restarting; None if it did not, or is not known."""
        ...

    def savepoint(self, job_id: str, directory: str, *, stop: bool, drain: bool = False, native: bool = False) -> str:
        """Begin a savepoint below *directory* and return its trigger id; with *stop* the job then ends as FINISHED.

        The same directory again is the same savepoint, and one call of Flink: that is for answers that were lost.
        *drain* flushes windows and timers for good: for a job that never comes back. NotFound: no such job.
        """
        ...

    def savepoint_status(self, job_id: str, trigger: str) -> SavepointStatus:
        """How far it is; NotFound when the runtime no longer knows the trigger (it was restarted since)."""
        ...

    def cancel(self, job_id: str) -> None:
        """End a job without a savepoint; its checkpoints stay. Harmless when it ended already or is not known."""
        ...

    def rescale(self, job_id: str, parallelism: int) -> int:
        """Give a running job another parallelism under its id; how many tasks it has once that is done.

        It takes a moment, in which the job restarts from a checkpoint of that very moment. Harmless when it has that
        parallelism. NotFound: no such job. Conflict: not enough slots, or Flink refuses; nothing was changed.
        """
        ...

    def validate(self, script: str, *, batch: bool, options: Mapping[str, str]) -> list[Problem]:
        """What Flink's planner says about a script, without running any of it."""
        ...

    def compile(self, script: str, options: Mapping[str, str], *, name: str, batch: bool) -> Plan | None:
        """The plan that a submission of this script would run, with ids from 1; None for a batch job.

        Invalid: the first problem, with its place in *name*. Unplanned: Flink runs it, but has no plan of it.
        """
        ...

    def contents(self, location: str) -> Contents | None:
        """What a savepoint or a checkpoint holds; None where that cannot be read."""
        ...

    def log_path(self, job_id: str) -> Path | None:
        """The file a job logs to; None until it has logged."""
        ...

    def log(self, job_id: str, *, tail: int = 65536) -> str:
        """The last *tail* bytes of a job's log, whole lines; empty while there are none."""
        ...

    def levels(self, wanted: Mapping[str, str]) -> None:
        """Let loggers log from these levels on, from now on; "" is the logger of all others.

        Those that were told a level before, and are not among these, have the usual one again. Harmless where the logs
        are not ours.
        """
        ...

    def slots(self) -> Slots: ...


class Embedded:
    """Flink in one JVM beside us, which ends when we do; its jobs come back from their newest checkpoints.

    *locks* are file descriptors the JVM inherits: a lock on one is held until the JVM is gone too.
    """

    def __init__(self, settings: Settings, *, locks: Sequence[int] = ()) -> None:
        self._settings = settings
        self._jvm = Jvm(settings, locks=locks)
        # What was never planned before may take the JVM that plans it down, and nobody's jobs with it.
        self._planner = Planner(replace(settings, home=settings.home / "planner"), locks=locks)
        self._cluster: Cluster | None = None
        self._rest: Rest | None = None
        self._starting = threading.Lock()
        self._placing = threading.Lock()
        self._handed: list[str] = []
        self._placed: dict[str, tuple[str, int]] = {}
        self._levels: frozenset[str] = frozenset()

    lasting, life, silent, adaptive = False, None, "", True

    @property
    def alive(self) -> bool:
        return self._cluster is not None and self._jvm.alive

    @property
    def home(self) -> Path:
        return self._settings.home

    @property
    def pid(self) -> int | None:
        return self._jvm.pid

    @property
    def rest(self) -> str:
        return self._client().url

    def page(self, path: str) -> Page:
        return self._client().page(path)

    def gateway(self) -> Gateway:
        """Its JVM, which plans for session clusters too. Unavailable: it does not run."""
        return self._jvm.gateway

    @property
    def version(self) -> str:
        """Flink's release, like 2.3.0; Missing when it is not installed."""
        return engines.version(engines.find(self._settings.engines, self._settings.engine))

    def start(self) -> None:
        with self._starting:
            if self.alive:
                return
            self._forget()
            self._handed, self._levels = [], frozenset()
            self._jvm.start()
            try:
                self._begin()
            except BaseException:
                self._forget()
                self._jvm.fail()
                raise

    def stop(self) -> None:
        with self._starting:
            self._forget()
            self._planner.stop()
            self._jvm.stop()

    def autopsy(self) -> Death:
        return examine(self._jvm.report, self._handed, self._settings.job_logs)

    def submit(self, job: Submission) -> None:
        self._handed = [*(one for one in self._handed if one != job.id), job.id][-_REMEMBERED:]
        if job.id in self.observe():
            return
        cluster = self._running()
        target = {"execution.target": "remote", "rest.address": "127.0.0.1", "rest.port": str(cluster.port)}
        if job.program:
            program = packed(self._settings, job, job.program, job_defaults(self._settings))
            with program as made, self._placed_for(job, made.slots):
                jobs.submit(self._client(), made.graph, made.jars)
            return
        prepared = Prepared(self._jvm.gateway, job, job_defaults(self._settings), target)
        with self._placed_for(job, prepared.slots):
            prepared.run()

    @contextmanager
    def _placed_for(self, job: Submission, slots: int) -> Iterator[None]:
        """Around the submission of a job: its slots are taken, and given back if it fails."""
        self._place(job.id, job.name, slots)
        try:
            yield
        except BaseException:
            self._placed.pop(job.id, None)
            raise

    def observe(self) -> dict[str, Observed]:
        return jobs.overview(self._client())

    def failure(self, job_id: str) -> Diagnosis | None:
        found = jobs.failure(self._client(), job_id)
        return diagnose(found) if found else None

    def savepoint(self, job_id: str, directory: str, *, stop: bool, drain: bool = False, native: bool = False) -> str:
        return jobs.trigger(self._client(), job_id, uri(directory), stop=stop, drain=drain, native=native)

    def savepoint_status(self, job_id: str, trigger: str) -> SavepointStatus:
        return jobs.triggered(self._client(), job_id, trigger)

    def cancel(self, job_id: str) -> None:
        jobs.cancel(self._client(), job_id)

    def rescale(self, job_id: str, parallelism: int) -> int:
        before = self._placed.get(job_id, ("the job", 1))
        self._place(job_id, before[0], parallelism)
        try:
            return jobs.rescale(self._client(), job_id, parallelism)
        except Conflict:
            self._placed[job_id] = before
            raise

    def validate(self, script: str, *, batch: bool, options: Mapping[str, str]) -> list[Problem]:
        return self._planner.validate(script, batch=batch, options={**job_defaults(self._settings), **options})

    def compile(self, script: str, options: Mapping[str, str], *, name: str, batch: bool) -> Plan | None:
        whole = {**job_defaults(self._settings), **options}
        return compiled(self._jvm.gateway, script, name=name, batch=batch, options=whole)

    def contents(self, location: str) -> Contents | None:
        return contents(self._jvm.gateway, uri(location))

    def log_path(self, job_id: str) -> Path | None:
        return log.path(self._settings.job_logs, job_id)

    def log(self, job_id: str, *, tail: int = 65536) -> str:
        found = self.log_path(job_id)
        return log.tail(found, tail) if found else ""

    def levels(self, wanted: Mapping[str, str]) -> None:
        log.obey(self._jvm.gateway, wanted, self._levels)
        self._levels = frozenset(wanted)

    def slots(self) -> Slots:
        held = sum(slots for _, slots in self._holders().values())
        return Slots(self._settings.slots, max(0, self._settings.slots - held))

    def _forget(self) -> None:
        if self._rest:
            self._rest.close()
        self._cluster = self._rest = None
        self._placed.clear()

    def _begin(self) -> None:
        cluster = Cluster(self._jvm.gateway, self._settings)
        cluster.start()
        self._rest = Rest(cluster.url, timeout=self._settings.call_timeout)
        self._rest.ready(self._settings.start_timeout)
        self._cluster = cluster

    def _running(self) -> Cluster:
        if self._cluster is None or not self._jvm.alive:
            raise Unavailable("Flink does not run")
        return self._cluster

    def _client(self) -> Rest:
        self._running()
        if self._rest is None:
            raise Unavailable("Flink does not run")
        return self._rest

    def _place(self, job_id: str, name: str, needed: int) -> None:
        """Take slots for a job. Flink would let it wait for ever, or run it with less than it asked for."""
        with self._placing:
            holders = self._holders()
            _, own = holders.get(job_id, ("", 0))
            free = self._settings.slots - sum(slots for _, slots in holders.values())
            if needed > own + free:
                biggest = sorted(holders.values(), key=lambda holder: -holder[1])
                held = few((f"{name} ({slots})" for name, slots in biggest), _SHOWN) or "nobody"
                ways = "stop jobs, lower the parallelism or raise FLINKFORM_SLOTS (after `flinkform down`)"
                slots = "1 slot" if needed == 1 else f"{needed} slots"
                raise Conflict(
                    f"{name} needs {slots} and {max(0, free)} of {self._settings.slots} are free",
                    advice=f"held by {held}; {ways}",
                )
            self._placed[job_id] = (name, needed)

    def _holders(self) -> dict[str, tuple[str, int]]:
        """Who holds how many slots, by job id: those placed, seen or still on their way, and whoever else is seen."""
        seen = self.observe()
        for job_id in list(self._placed):
            if job_id in seen and seen[job_id].state.final:
                self._placed.pop(job_id, None)
        return {job_id: ("?", 1) for job_id, job in seen.items() if not job.state.final} | self._placed
