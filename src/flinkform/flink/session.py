"""Jobs on a Flink session cluster that runs somewhere else, by its REST; they outlive us, and we take them up again."""

from __future__ import annotations

import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from flinkform.errors import Conflict, FlinkformError, Invalid, Missing, Unavailable
from flinkform.flink import connectors, jobs
from flinkform.flink.checkpoints import uri
from flinkform.flink.cluster import job_defaults
from flinkform.flink.compile import compiled
from flinkform.flink.contents import Contents, contents
from flinkform.flink.diagnosis import diagnose
from flinkform.flink.engines import find, version
from flinkform.flink.gateway import Gateway
from flinkform.flink.plan import Plan
from flinkform.flink.program import packed
from flinkform.flink.rest import Page, Rest
from flinkform.flink.settings import Settings
from flinkform.flink.submit import Prepared
from flinkform.flink.validate import validate
from flinkform.flink.values import Death, Diagnosis, Observed, Problem, SavepointStatus, Slots, Submission

_AGAIN = 1.0
"""Seconds between tries to reach a cluster that did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A session cluster as its users know it.

    *headers* hold what lets us in, and are never shown. *ca* is the file of the CA that signed its certificate, where
    the machine does not know it. *storage* is the URI below which the cluster keeps states, readable here too.
    *elastic* says that it makes slots as they are asked for, so that there are never too few.
    """

    name: str
    url: str
    storage: str
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)
    ca: Path | None = None
    elastic: bool = False
    timeout: float = 10.0
    """Seconds that one answer may take."""


class Session:
    """A runtime in a cluster that is not ours: nothing here starts or ends it.

    *gateway* gives a JVM of the cluster's Flink that plans. While the cluster does not answer nothing is known of its
    jobs, and `silent` says why; asking again takes no time then, as it is tried beside.
    """

    lasting = True

    def __init__(self, remote: Remote, gateway: Callable[[], Gateway], settings: Settings) -> None:
        self._remote = remote
        self._gateway = gateway
        self._settings = settings
        self._tls = _tls(remote)
        self._rest = self._client()
        self._lock = threading.Lock()
        self._probing = threading.Lock()
        self._placing = threading.Lock()
        self._known: set[str] = set()
        self._life: str | None = None
        self._silent = ""
        self._tried = 0.0
        self._probe: threading.Thread | None = None
        self._adaptive = False

    @property
    def alive(self) -> bool:
        """It was reached; jobs in a cluster that was do not end because it is not any more."""
        return self._life is not None

    @property
    def life(self) -> str | None:
        """The job manager that answered last: what a former one ran, and this one does not know, is gone."""
        return self._life

    @property
    def silent(self) -> str:
        return self._silent

    @property
    def adaptive(self) -> bool:
        return self._adaptive

    @property
    def rest(self) -> str:
        return self._remote.url

    def start(self) -> None:
        """Reach it. Missing: its Flink is not the one that plans here. Denied: it does not let us in."""
        with self._lock:
            self._meet()

    def stop(self) -> None:
        """Let go of it; its jobs run on."""
        with self._lock:
            self._life, self._silent = None, ""
            self._rest.close()
            self._rest = self._client()

    def autopsy(self) -> Death:
        return Death("the session cluster was let go of")

    def submit(self, job: Submission) -> None:
        if job.id in self.observe():
            return
        if job.program:
            # What is installed here is not there: the program sees Flink and what it brings.
            bare = replace(self._settings, connectors=None)
            with packed(bare, job, job.program, job_defaults(bare)) as made, self._placing:
                self._room(job.name, made.slots)
                jobs.submit(self._rest, made.graph, made.jars)
            return
        prepared = Prepared(self._gateway(), job, job_defaults(self._settings), {})
        home = self._settings.home
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._placing, tempfile.TemporaryDirectory(dir=home) as folder:
            self._room(job.name, prepared.slots)
            graph = Path(folder) / f"{job.id}.bin"
            prepared.write(graph)
            jobs.submit(self._rest, graph, self._jars(job.script))

    def observe(self) -> dict[str, Observed]:
        if self._silent:
            self._look()
            raise Unavailable(self._silent)
        try:
            found = jobs.overview(self._rest)
        except FlinkformError as error:
            self._silent = f"the session cluster {self._remote.name} does not answer: {error}"
            raise
        if gone := self._known - found.keys():
            # Another job manager, perhaps: then they are lost, and no accident of this one's.
            before = self._life
            self.start()
            self._known -= gone  # not before: whoever asks meanwhile, or after a start that failed, has to look too
            if self._life != before:
                raise Unavailable(f"the session cluster {self._remote.name} has another job manager")
        self._known |= {job_id for job_id, job in found.items() if not job.state.final}
        return found

    def failure(self, job_id: str) -> Diagnosis | None:
        found = jobs.failure(self._rest, job_id)
        return diagnose(found) if found else None

    def savepoint(self, job_id: str, directory: str, *, stop: bool, drain: bool = False, native: bool = False) -> str:
        return jobs.trigger(self._rest, job_id, uri(directory), stop=stop, drain=drain, native=native)

    def savepoint_status(self, job_id: str, trigger: str) -> SavepointStatus:
        return jobs.triggered(self._rest, job_id, trigger)

    def cancel(self, job_id: str) -> None:
        jobs.cancel(self._rest, job_id)

    def rescale(self, job_id: str, parallelism: int) -> int:
        with self._placing:
            self._room("the job", parallelism, held=jobs.tasks(self._rest, job_id))
            return jobs.rescale(self._rest, job_id, parallelism)

    def validate(self, script: str, *, batch: bool, options: Mapping[str, str]) -> list[Problem]:
        return validate(self._gateway(), script, batch=batch, options={**job_defaults(self._settings), **options})

    def compile(self, script: str, options: Mapping[str, str], *, name: str, batch: bool) -> Plan | None:
        whole = {**job_defaults(self._settings), **options}
        return compiled(self._gateway(), script, name=name, batch=batch, options=whole)

    def contents(self, location: str) -> Contents | None:
        return contents(self._gateway(), uri(location))

    def log_path(self, job_id: str) -> Path | None:  # noqa: ARG002  a cluster's logs are its own
        return None

    def log(self, job_id: str, *, tail: int = 65536) -> str:  # noqa: ARG002
        return ""

    def levels(self, wanted: Mapping[str, str]) -> None:  # noqa: ARG002  nor has its REST a way to change them
        return

    def page(self, path: str) -> Page:
        return self._rest.page(path)

    def slots(self) -> Slots:
        return jobs.slots(self._rest)

    def _client(self) -> Rest:
        remote = self._remote
        return Rest(remote.url, timeout=remote.timeout, headers=remote.headers, tls=self._tls)

    def _meet(self) -> None:
        """Ask who answers, and whether we understand each other."""
        theirs, ours = str(self._rest.get("/config").get("flink-version")), version(find(None))
        if connectors.line(theirs) != connectors.line(ours):
            raise Missing(
                f"the session cluster {self._remote.name} runs Flink {theirs}, and jobs are planned here by {ours}",
                advice=f"run a cluster of Flink {connectors.line(ours)}",
            )
        said = {one["key"]: one["value"] for one in self._rest.get("/jobmanager/config")}
        self._adaptive = _adaptive(said)
        # Each job manager makes a temporary folder of its own name when it starts.
        self._life, self._silent = said.get("web.tmpdir") or self._remote.url, ""

    def _look(self) -> None:
        """Try to reach it again, beside whoever asks."""
        with self._probing:
            due = time.monotonic() - self._tried >= _AGAIN and not (self._probe and self._probe.is_alive())
            if due:
                self._tried = time.monotonic()
                self._probe = threading.Thread(target=self._try, name="session", daemon=True)
                self._probe.start()

    def _try(self) -> None:
        try:
            with self._lock:
                self._meet()
        except FlinkformError as error:
            self._silent = f"the session cluster {self._remote.name} does not answer: {error}"

    def _room(self, name: str, needed: int, *, held: int = 0) -> None:
        """Conflict: the cluster has too few slots; it would let the job wait, or run with less than it asked for.

        Unavailable: it has none at all, as one that just started; its task managers may be on their way.
        """
        if self._remote.elastic:
            return
        places = self.slots()
        if not places.total:
            raise Unavailable(f"no task manager of {self._remote.name} is there")
        if needed > held + places.free:
            raise Conflict(
                f"{name} needs {needed} slots and {places.free} of {places.total} are free",
                advice=f"add task managers to {self._remote.name}, stop jobs there or lower the parallelism",
            )

    def _jars(self, script: str) -> list[Path]:
        root = self._settings.connectors
        return connectors.needed(connectors.folder(root, version(find(None))), script) if root else []


def _tls(remote: Remote) -> ssl.SSLContext | None:
    """Trust the CA that was named, and it alone. Invalid: its file cannot be read."""
    if remote.ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=remote.ca)
    except (OSError, ssl.SSLError) as error:
        raise Invalid(f"target {remote.name}: expected the file of a CA, got {remote.ca}") from error


def _adaptive(said: Mapping[str, Any]) -> bool:
    """Whether jobs can change their parallelism while they run."""
    words = (said.get("jobmanager.scheduler", ""), said.get("scheduler-mode", ""))
    return any(str(word).lower() in ("adaptive", "reactive") for word in words)
