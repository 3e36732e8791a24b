"""A store, a Flink in memory and a loop that only ticks when told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.store import deployments, events, instances, intents, namespaces, rescales, runs, savepoints
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.deployments import Deployment
from flinkform.controlplane.store.rescales import Rescale
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.flink.fleet import SHARED, Fleet, Seat
from flinkform.flink.values import Phase
from tests.unit.controlplane.reconcile.fake import FakeRuntime, Inline
from tests.unit.controlplane.tables import Kind, stocked

WS, NS = "ws-1", "team"


PLANS = Path(__file__).parents[2] / "flink" / "plans"
"""Plans that Flink compiled, by name."""


@dataclass
class Clock:
    now: int = 1_000_000

    def __call__(self) -> int:
        return self.now


@dataclass
class World:
    """Everything a test touches: it asks as the API does, and looks at what the API would tell."""

    store: Store
    flink: FakeRuntime
    others: dict[Seat, FakeRuntime]
    """The runtimes of seats of their own, by seat."""
    clock: Clock
    bench: Bench
    loop: Loop

    def deployment(self, name: str = "bids", *, batch: bool = False, **document: Any) -> Deployment:
        mode = "BATCH" if batch else "STREAMING"
        whole = {"artifact": artifact("SELECT 1"), "executionMode": mode, **document}
        with self.store.write() as db:
            return deployments.create(
                db, f"d-{name}", workspace=WS, namespace=NS, name=name, document=whole, creator="me", now=self.clock()
            )

    def again(self, name: str) -> Deployment:
        """A deployment that was made before."""
        with self.store.read() as db:
            return deployments.get(db, WS, NS, f"d-{name}")

    def edit(self, deployment: Deployment, script: str) -> Deployment:
        document = {**deployment.document, "artifact": artifact(script)}
        with self.store.write() as db:
            return deployments.replace(db, deployment, document, name=deployment.name, modifier="me", now=self.clock())

    def ask_start(
        self, deployment: Deployment, kind: str = "NONE", *, changes: dict[str, Any] | None = None, **restore: Any
    ) -> Run:
        self.clock.now += 1
        with self.store.write() as db:
            return intents.start(
                db, deployment, restore={"kind": kind, **restore}, creator="me", now=self.clock(), changes=changes
            )

    def ask_stop(self, run: Run, strategy: str = "NONE") -> Run:
        self.clock.now += 1
        with self.store.write() as db:
            return intents.stop(db, self.fresh(run), strategy, creator="me", now=self.clock())

    def ask_savepoint(self, run: Run) -> Savepoint:
        self.clock.now += 1
        with self.store.write() as db:
            return intents.savepoint(db, self.fresh(run), creator="me", now=self.clock())

    def ask_rescale(self, run: Run, parallelism: int) -> Rescale:
        self.clock.now += 1
        with self.store.write() as db:
            return intents.rescale(db, self.fresh(run), parallelism, creator="me", now=self.clock())

    def rescale(self, one: Rescale) -> Rescale:
        """A change of parallelism as it is now."""
        with self.store.read() as db:
            return rescales.get(db, WS, NS, one.id)

    def tick(self, times: int = 1, *, later: int = 250) -> None:
        for _ in range(times):
            self.clock.now += later
            self.loop.tick()

    def running(self, deployment: Deployment, kind: str = "NONE", **restore: Any) -> Run:
        """Start a deployment and see it RUNNING."""
        run = self.ask_start(deployment, kind, **restore)
        self.tick(2)
        self.flink.see(run.job_id, Phase.RUNNING)
        self.tick()
        found = self.fresh(run)
        assert found.state == "RUNNING"
        return found

    def stopped(self, run: Run) -> str:
        """Stop a run with a savepoint; where that is."""
        self.ask_stop(run, "STOP_WITH_SAVEPOINT")
        self.tick()
        place = self.flink.finish_savepoint()
        self.tick()
        assert self.fresh(run).state == "CANCELLED"
        assert place is not None
        return place

    def cancelled(self, run: Run) -> None:
        """Stop a run without a savepoint."""
        self.ask_stop(run)
        self.tick()
        self.flink.see(run.job_id, Phase.CANCELED)
        self.tick()
        assert self.fresh(run).state == "CANCELLED"

    def fresh(self, run: Run) -> Run:
        with self.store.read() as db:
            found = runs.find(db, run.id)
        assert found is not None
        return found

    def savepoint(self, savepoint_id: str) -> Savepoint | None:
        with self.store.read() as db:
            return savepoints.find(db, savepoint_id)

    def stop_savepoint(self, run: Run) -> Savepoint:
        with self.store.read() as db:
            return savepoints.of_stops(db, [run.id])[run.id]

    def told(self, run: Run) -> list[str]:
        """The names of a run's events, oldest first."""
        with self.store.read() as db:
            found = events.page(db, WS, NS, run_id=run.id, limit=1000)
        return [event.name for event in reversed(found.items)]

    def end_controlplane(self, pause: Callable[[], None] = lambda: None) -> None:
        """The control plane ends as it should, its JVMs last; another one starts."""
        self.loop.stop(pause=pause)
        self.bench.fleet.stop()
        self.loop = Loop(self.bench, executor=Inline())

    def restart_controlplane(self) -> None:
        """The control plane dies, and so do the JVMs that hang on its pipes; another one starts."""
        for flink in (self.flink, *self.others.values()):
            flink.crash()
        self.loop = Loop(self.bench, executor=Inline())


def artifact(script: str) -> dict[str, Any]:
    return {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": script}}


def made(folder: Path, flink: FakeRuntime, kind: Kind | None = None) -> World:
    """A world in a folder, with one instance and one namespace on their way."""
    store, clock = stocked(folder / "home", kind), Clock()
    others: dict[Seat, FakeRuntime] = {}
    fleet = Fleet(lambda seat: flink if seat == SHARED else others.setdefault(seat, FakeRuntime()))
    bench = Bench(store, fleet, folder / "state", clock)
    with store.write() as db:
        instances.create(db, "f-1", workspace=WS, name="main", region="r", document={}, now=clock())
        namespaces.create(db, "f-1", NS, document={}, now=clock())
    return World(store, flink, others, clock, bench, Loop(bench, executor=Inline()))


@pytest.fixture
def world(tmp_path: Path, kind: Kind) -> Iterator[World]:
    one = made(tmp_path, FakeRuntime(), kind)
    yield one
    one.store.close()
