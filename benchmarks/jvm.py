"""How soon Flink is there and takes jobs, against a bare MiniCluster in a JVM of Java's and Flink's own defaults.

Candidate: the embedded runtime, from nothing to the moment it takes jobs; its first job, further ones, and one that is
restored from a savepoint, each until every task runs. The same with an archive of Flink's classes, which a control
plane makes for itself. Floor: `java` with a MiniCluster that is started over py4j, and the same script executed line
by line through a TableEnvironment. Wall time is what a user waits for; CPU seconds of the JVM are what other work on
the machine cannot falsify. A figure is the median of the rounds, each of which takes every side in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from flinkform.errors import Missing
from flinkform.flink import engines, jobs
from flinkform.flink.archive import Archivist
from flinkform.flink.gateway import Gateway
from flinkform.flink.rest import Rest
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings
from flinkform.flink.values import Phase, Submission

ROUNDS, NEXT = 3, 5
SCRIPT = """
CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');
CREATE TABLE nowhere (n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT COUNT(*) FROM numbers;
"""
PACKAGES = ("lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent")
Times = dict[str, tuple[float, float]]
"""Seconds of wall and of CPU, by step."""


class Side(Protocol):
    """Something that runs jobs."""

    @property
    def pid(self) -> int | None: ...

    @property
    def rest(self) -> str: ...

    def start(self) -> None: ...

    def submit(self, job: Submission) -> None: ...

    def stop(self) -> None: ...


class Bare:
    """A MiniCluster and nothing of ours but the wire to it."""

    def __init__(self, folder: Path, java: Path) -> None:
        self._folder, self._java = folder, java
        self.rest = ""
        self.pid: int | None = None

    def start(self) -> None:
        flink = engines.find(None)
        (self._folder / "conf").mkdir(parents=True)
        (self._folder / "conf" / "config.yaml").write_text("parallelism.default: 1\n")
        jars = [*sorted((flink / "lib").glob("*.jar")), *(flink / "opt").glob("flink-python-*.jar")]
        opens = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in PACKAGES]
        server = "org.apache.flink.api.python.shaded.py4j.GatewayServer"
        words = [str(self._java), *opens, "-cp", os.pathsep.join(map(str, jars)), server]
        self._process = subprocess.Popen(
            [*words, "--die-on-broken-pipe", "--enable-auth", "0"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"FLINK_CONF_DIR": str(self._folder / "conf")},
            text=True,
        )
        self.pid = self._process.pid
        assert self._process.stdout
        port, token = (self._process.stdout.readline().strip() for _ in range(2))
        self._gateway = Gateway(int(port), token, timeout=300)
        self._cluster = self._started()
        self.rest = f"http://127.0.0.1:{self._cluster.getRestAddress().get().getPort()}"

    def submit(self, job: Submission) -> None:
        address = {"execution.target": "remote", "rest.address": "127.0.0.1", "rest.port": self.rest.rpartition(":")[2]}
        chosen = {"$internal.pipeline.job-id": job.id, "table.dml-sync": "false", "execution.attached": "false"}
        state = {"execution.state-recovery.path": job.restore} if job.restore else {}
        table = self._gateway.flink.table.api
        made = table.EnvironmentSettings.newInstance()
        made.withConfiguration(self._gateway.configuration({**address, **chosen, **state}))
        environment = table.TableEnvironment.create(made.build())
        for statement in SCRIPT.strip().rstrip(";").split(";"):
            environment.executeSql(statement)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def _started(self) -> Any:
        """Return a cluster on any port, whose REST is as fresh as ours."""
        own = {"rest.port": "0", "rest.bind-port": "0", "web.refresh-interval": "200"}
        builder = self._gateway.flink.runtime.minicluster.MiniClusterConfiguration.Builder()
        builder.setConfiguration(self._gateway.configuration(own)).setNumTaskManagers(1).setNumSlotsPerTaskManager(20)
        cluster = self._gateway.flink.runtime.minicluster.MiniCluster(builder.build())
        cluster.start()
        return cluster


def measure(side: Side, folder: Path) -> Times:
    """Take a side through all steps, and end it."""
    times: Times = {}

    @contextmanager
    def step(name: str) -> Iterator[None]:
        began, before = time.perf_counter(), _cpu(side.pid)
        yield
        times[name] = time.perf_counter() - began, _cpu(side.pid) - before

    try:
        with step("ready"):
            side.start()
        rest = Rest(side.rest, timeout=300)
        with step("first job"):
            first = _run(side, rest, _job(folder))
        several: list[tuple[float, float]] = []
        for _ in range(NEXT):
            with step("next job"):
                _run(side, rest, _job(folder))
            several.append(times["next job"])
        times["next job"] = statistics.median(w for w, _ in several), statistics.median(c for _, c in several)
        place = _stopped(rest, first, folder)
        with step("restored job"):
            _run(side, rest, replace(_job(folder), restore=place))
        rest.close()
    finally:
        side.stop()
    return times


def _job(folder: Path) -> Submission:
    state = (folder / "state").as_uri()
    return Submission(id=uuid.uuid4().hex, name="job", script=SCRIPT, checkpoint_dir=state, savepoint_dir=state)


def _run(side: Side, rest: Rest, job: Submission) -> Submission:
    """Submit a job and wait until every task runs."""
    side.submit(job)
    _until(lambda: (seen := jobs.overview(rest).get(job.id)) and seen.state is Phase.RUNNING)
    return job


def _stopped(rest: Rest, job: Submission, folder: Path) -> str:
    trigger = jobs.trigger(rest, job.id, (folder / "savepoints").as_uri(), stop=True, drain=False, native=False)
    _until(lambda: jobs.triggered(rest, job.id, trigger).done)
    place = jobs.triggered(rest, job.id, trigger).location
    assert place
    return place


def _until(check: Callable[[], object]) -> None:
    deadline = time.monotonic() + 600
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError("waited for 600 s")
        time.sleep(0.01)


def _cpu(pid: int | None) -> float:
    """Return the processor seconds of a process; 0 where there is none yet, or no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure, and print one JSON line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    java = shutil.which("java")
    if java is None:
        raise Missing("no java on PATH", advice="install Java 17")
    print(__doc__)
    with tempfile.TemporaryDirectory(prefix="flinkform-jvm-") as name:
        folder = Path(name)
        usual = Settings(home=folder / "flink", java=Path(java), slots=20)
        fast = replace(usual, archive=folder / "archive")
        Archivist(fast).build()
        rounds = []
        for number in range(options.rounds):
            bare = measure(Bare(folder / f"bare-{number}", Path(java)), folder)
            rounds.append((bare, measure(Embedded(usual), folder), measure(Embedded(fast), folder)))
    for index, unit in enumerate(("wall s", "CPU s")):
        for step in rounds[0][0]:
            floor, plain, archived = (statistics.median(one[side][step][index] for one in rounds) for side in range(3))
            print(json.dumps(_figure(f"JVM: {step}", plain, floor, unit)))
            print(json.dumps(_figure(f"JVM: {step}, with an archive", archived, floor, unit)))


def _figure(name: str, candidate: float, floor: float, unit: str) -> dict[str, object]:
    figure: dict[str, object] = {"benchmark": name, "n": 1, "candidate": round(candidate, 3), "floor": round(floor, 3)}
    return figure | {"ratio": round(candidate / max(floor, 0.001), 2), "unit": unit}


if __name__ == "__main__":
    main()
