"""Classes that are read and checked once: Java starts from an archive of those that Flink needs (AppCDS)."""

from __future__ import annotations

import hashlib
import logging
import shutil
import threading
import time
import uuid
from dataclasses import replace
from pathlib import Path

from flinkform.errors import FlinkformError
from flinkform.flink import engines, jobs
from flinkform.flink.cluster import Cluster, job_defaults
from flinkform.flink.jvm import Jvm, archived
from flinkform.flink.rest import Rest
from flinkform.flink.settings import Settings
from flinkform.flink.submit import Prepared
from flinkform.flink.values import Phase, Submission

_SCRIPT = """
CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');
CREATE TABLE nowhere (k INT, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT a.n, COUNT(*) FROM numbers a JOIN numbers b ON a.n = b.n GROUP BY a.n;
"""
_PATIENCE = 600
_KEPT = 4
_log = logging.getLogger(__name__)


class Archivist:
    """Makes the archive for a JVM's next start, in the background and once for each Java and release of Flink.

    It takes the time of a JVM that starts, plans a job, runs it and stops, at the lowest priority, and begins *delay*
    seconds after it was told to: those who wait for their first jobs come first. What goes wrong is logged, no more.
    """

    def __init__(self, settings: Settings, *, delay: float = 120) -> None:
        self._settings = settings
        self._delay = delay
        self._stopping = threading.Event()
        self._jvm: Jvm | None = None
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Leave it; what is half made is removed."""
        self._stopping.set()
        if self._jvm:
            self._jvm.kill()
        if self._thread.ident:
            self._thread.join()

    def build(self, *, idle: bool = True) -> Path | None:
        """Make the archive now, unless it is there; where it is, None where none is wanted or Java makes none."""
        place = archived(self._settings, engines.find(self._settings.engines, self._settings.engine))
        if place is None or place.exists():
            return place
        # Its own for each home, which belongs to one process: what a killed one left is found, and no other's is.
        new = place.parent / f"{hashlib.sha256(bytes(self._settings.home)).hexdigest()[:16]}.new"
        shutil.rmtree(new, ignore_errors=True)
        try:
            self._dump(new, idle)
            if not (new / "classes").exists():
                return None
            (new / "classes").replace(place)
            _forget(place.parent)
            return place
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _run(self) -> None:
        if self._stopping.wait(self._delay):
            return
        began = time.monotonic()
        try:
            made = self.build()
        except (FlinkformError, OSError) as error:
            _log.warning("no archive of Flink's classes: %s", error)
        else:
            _log.info("archive of Flink's classes: %s, %.0f s", made, time.monotonic() - began)

    def _dump(self, folder: Path, idle: bool) -> None:
        """Run a JVM that writes down the classes it used, when it ends."""
        small = replace(self._settings, home=folder, logs=None, archive=None, slots=2, heap="512m", network="32m")
        self._jvm = Jvm(small, flags=(f"-XX:ArchiveClassesAtExit={folder / 'classes'}",), idle=idle)
        try:
            self._jvm.start()
            _exercise(self._jvm, small)
            if not self._stopping.is_set():
                self._jvm.stop(patience=_PATIENCE)
        finally:
            self._jvm.stop(patience=0)


def _forget(folder: Path) -> None:
    """Remove the oldest: a folder may serve several Javas and Flinks, but former ones are of no use."""
    by_age = sorted(folder.glob("*.jsa"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    for old in by_age[_KEPT:]:
        old.unlink(missing_ok=True)


def _exercise(jvm: Jvm, settings: Settings) -> None:
    """Plan and run a job, so that its classes are in use."""
    cluster = Cluster(jvm.gateway, settings)
    cluster.start()
    rest = Rest(cluster.url, timeout=settings.call_timeout)
    target = {"execution.target": "remote", "rest.address": "127.0.0.1", "rest.port": str(cluster.port)}
    name, state = uuid.uuid4().hex, str(settings.home / "state")
    job = Submission(id=name, name="archive", script=_SCRIPT, checkpoint_dir=state, savepoint_dir=state)
    try:
        rest.ready(settings.start_timeout)
        Prepared(jvm.gateway, job, job_defaults(settings), target).run()
        deadline = time.monotonic() + settings.start_timeout
        while jobs.overview(rest)[name].state is not Phase.RUNNING and time.monotonic() < deadline:
            time.sleep(0.2)
        jobs.cancel(rest, name)
    finally:
        rest.close()
