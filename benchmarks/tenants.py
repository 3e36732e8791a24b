"""What many small jobs in one JVM cost, and how soon a change of one is known, against the same JVM asked directly.

Jobs of one row a second are started by the reconciler, as in a control plane, and then left alone. Of that time come:
the JVM's memory (floor: before the first job), the processor's share of JVM and control plane (floor: the JVM's
before the first job), and the calls of Flink's REST that one look at all jobs takes (floor: one). Then jobs are
cancelled one by one behind the control plane's back: until its database says so, against Flink's REST saying so
(floor), both polled as fast as they answer.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.store import deployments, instances, intents, namespaces, runs
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Missing
from flinkform.flink.fleet import Fleet
from flinkform.flink.rest import Rest
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings

JOBS, CANCELS, QUIET = 200, 10, 20.0
SCRIPT = """
CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');
CREATE TABLE nowhere (n INT) WITH ('connector' = 'blackhole');
INSERT INTO nowhere SELECT n FROM numbers;
"""


class World:
    """A control plane's reconciler with its store and its JVM, without an API."""

    def __init__(self, folder: Path, java: Path) -> None:
        self.store = Store.at(folder / "home")
        self.flink = Embedded(Settings(home=folder / "flink", java=java))
        self.loop = Loop(Bench(self.store, Fleet(lambda _: self.flink), folder / "state"))
        with self.store.write() as db:
            instances.create(db, "f-1", workspace="w", name="main", region="r", document={}, now=1)
            namespaces.create(db, "f-1", "n", document={}, now=1)

    def start(self, name: str) -> Run:
        document = {
            "artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": SCRIPT}},
            "executionMode": "STREAMING",
        }
        with self.store.write() as db:
            made = deployments.create(
                db, name, workspace="w", namespace="n", name=name, document=document, creator="b", now=1
            )
            return intents.start(db, made, restore={"kind": "NONE"}, creator="b", now=1)

    def states(self, jobs: Sequence[Run]) -> list[str]:
        with self.store.read() as db:
            return [found.state for run in jobs if (found := runs.find(db, run.id))]

    def close(self) -> None:
        self.loop.stop(rest=0)
        self.flink.stop()
        self.store.close()


def memory(pid: int) -> float:
    """Return the resident memory of a process in MB; Linux only, as `cpu` is."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu(pid: int) -> float:
    """Return the processor seconds that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def share(pids: Sequence[int], seconds: float) -> float:
    """Return how much of one core processes take."""
    before, began = sum(map(cpu, pids)), time.monotonic()
    time.sleep(seconds)
    return (sum(map(cpu, pids)) - before) / (time.monotonic() - began)


def until(check: Callable[[], object], *, pause: float = 0.01, seconds: float = 1800) -> float:
    """Return how long it took until *check* held."""
    began = time.monotonic()
    while not check():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"waited for {seconds:g} s")
        time.sleep(pause)
    return time.monotonic() - began


class Counter:
    """Counts what is asked of Flink's REST."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self._call = Rest.call

    def __enter__(self) -> Self:
        def call(rest: Rest, method: str, path: str, body: object = None) -> Any:
            self.calls.append(path)
            return self._call(rest, method, path, body)

        Rest.call = call  # type: ignore[assignment, method-assign]
        return self

    def __exit__(self, *_: object) -> None:
        Rest.call = self._call  # type: ignore[method-assign]

    @property
    def each(self) -> float:
        """Calls a look: every look asks for the overview once."""
        return len(self.calls) / max(1, self.calls.count("/jobs/overview"))


def cancelled(world: World, run: Run) -> tuple[float, float]:
    """Cancel a job at Flink; the seconds until the store knows, and until Flink's REST says so."""
    rest = Rest(world.flink.rest, timeout=60)
    rest.call("PATCH", f"/jobs/{run.job_id}?mode=cancel")
    began, told, known = time.monotonic(), 0.0, 0.0
    while not (told and known):
        if not told and rest.get(f"/jobs/{run.job_id}/status")["status"] == "CANCELED":
            told = time.monotonic() - began
        if not known and world.states([run]) == ["CANCELLED"]:
            known = time.monotonic() - began
        time.sleep(0.01)
    rest.close()
    return known, told


def main() -> None:
    """Measure, and print one JSON line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", type=int, nargs="?", default=JOBS)
    parser.add_argument("--cancels", type=int, default=CANCELS)
    parser.add_argument("--quiet", type=float, default=QUIET, help="seconds over which shares are taken")
    options = parser.parse_args()
    java = shutil.which("java")
    if java is None:
        raise Missing("no java on PATH", advice="install Java 17")
    print(__doc__)
    with tempfile.TemporaryDirectory(prefix="flinkform-tenants-") as name:
        world = World(Path(name), Path(java))
        try:
            for what, candidate, floor, unit in measure(world, options.jobs, options.cancels, options.quiet):
                print(json.dumps({"benchmark": what, "n": options.jobs, **_ratio(candidate, floor), "unit": unit}))
        finally:
            world.close()


def measure(world: World, count: int, cancels: int, quiet: float) -> list[tuple[str, float, float, str]]:
    """Return each figure: name, candidate, floor, unit."""
    world.flink.start()
    pid = world.flink.pid or 0
    empty, idle = memory(pid), share([pid], quiet)
    world.loop.start()
    jobs = [world.start(f"job-{number}") for number in range(count)]
    world.loop.wake()
    took = until(lambda: set(world.states(jobs)) == {"RUNNING"}, pause=0.5)
    print(f"{count} jobs RUNNING after {took:.0f} s")
    with Counter() as counter:
        busy = share([pid, os.getpid()], quiet)
    full = memory(pid)
    known, told = zip(*(cancelled(world, run) for run in jobs[:cancels]), strict=True)
    return [
        ("memory of the JVM", full, empty, "MB"),
        ("share of one core, JVM and control plane", busy, idle, "cores"),
        ("REST calls a look", counter.each, 1, "calls"),
        ("a change is known, median", statistics.median(known), statistics.median(told), "s"),
        ("a change is known, worst", max(known), max(told), "s"),
    ]


def _ratio(candidate: float, floor: float) -> dict[str, float]:
    return {
        "candidate": round(candidate, 3),
        "floor": round(floor, 3),
        "ratio": round(candidate / max(floor, 0.001), 2),
    }


if __name__ == "__main__":
    main()
