"""A store, a real Flink and the loop between them: what a test asks of jobs, and what they wrote."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flinkform.controlplane.reconcile.loop import Loop
from flinkform.controlplane.store import deployments, events, intents, rescales, runs
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.deployments import Deployment
from flinkform.controlplane.store.rescales import Rescale
from flinkform.controlplane.store.runs import Run
from flinkform.flink.rest import Rest
from flinkform.flink.runtime import Embedded
from flinkform.flink.session import Session
from tests.flink.conftest import until

COUNTING = """
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50', 'fields.n.kind' = 'sequence',
  'fields.n.start' = '1', 'fields.n.end' = '100000');
CREATE TABLE seen (total BIGINT, highest BIGINT) WITH ('connector' = 'print', 'print-identifier' = '{name}');
INSERT INTO seen SELECT COUNT(*), MAX(n) FROM numbers;
"""


@dataclass
class World:
    """*crash* ends Flink as an accident would; *output* is what print tables wrote."""

    store: Store
    flink: Embedded | Session
    loop: Loop
    home: Path
    output: Path
    crash: Callable[[], None]
    target: str = "default-queue"

    def deploy(
        self, name: str, script: str = COUNTING, *, batch: bool = False, jar: Mapping[str, Any] | None = None
    ) -> Deployment:
        """Make a deployment of a script, or of a program in a *jar*."""
        document = {
            "artifact": _artifact(script.replace("{name}", name), jar),
            "executionMode": "BATCH" if batch else "STREAMING",
            "flinkConf": {"restart-strategy.type": "none"},
            "deploymentTarget": {"mode": "PER_JOB", "name": self.target},
        }
        with self.store.write() as db:
            return deployments.create(
                db, name, workspace="w", namespace="n", name=name, document=document, creator="me", now=1
            )

    def edit(self, deployment: Deployment, script: str = "", *, jar: Mapping[str, Any] | None = None) -> Deployment:
        """Give a deployment another script, or another program."""
        document = {**deployment.document, "artifact": _artifact(script, jar)}
        with self.store.write() as db:
            return deployments.replace(db, deployment, document, name=deployment.name, modifier="me", now=2)

    def start(self, deployment: Deployment, kind: str = "NONE") -> Run:
        with self.store.write() as db:
            run = intents.start(db, deployment, restore={"kind": kind}, creator="me", now=1)
        self.loop.wake()
        return run

    def stop(self, run: Run, strategy: str) -> None:
        with self.store.write() as db:
            intents.stop(db, self.fresh(run), strategy, creator="me", now=1)
        self.loop.wake()

    def rescale(self, run: Run, parallelism: int) -> Rescale:
        """Ask for another parallelism and wait for how that ends."""
        with self.store.write() as db:
            one = intents.rescale(db, self.fresh(run), parallelism, creator="me", now=time.time_ns() // 1_000_000)
        self.loop.wake()

        def now() -> Rescale:
            with self.store.read() as db:
                return rescales.get(db, "w", "n", one.id)

        until(lambda: now().state != rescales.GOING)
        return now()

    def vertices(self, run: Run) -> list[int]:
        """The parallelism of each of Flink's tasks, as Flink tells it."""
        with closing(Rest(self.flink.rest, timeout=10)) as rest:
            job = rest.get(f"/jobs/{run.job_id}")
        return [vertex["parallelism"] for vertex in job["vertices"]]

    def told(self, run: Run) -> list[str]:
        """The names of a run's events, oldest first."""
        with self.store.read() as db:
            found = events.page(db, "w", "n", run_id=run.id, limit=1000)
        return [event.name for event in reversed(found.items)]

    def fresh(self, run: Run) -> Run:
        with self.store.read() as db:
            found = runs.find(db, run.id)
        assert found is not None
        return found

    def wait(self, run: Run, state: str) -> Run:
        until(lambda: self.fresh(run).state in (state, *runs.ENDED))
        found = self.fresh(run)
        assert found.state == state, found.failure
        return found

    def counts(self, name: str) -> list[tuple[int, int]]:
        """Each (count, maximum) a job printed, in order; the two are equal as long as nothing is lost or doubled."""
        text = self.output.read_text() if self.output.exists() else ""
        found = re.findall(re.escape(name) + r"> \+[IU]\[(\d+), (\d+)\]", text)
        return [(int(count), int(highest)) for count, highest in found]


def _artifact(script: str, jar: Mapping[str, Any] | None) -> dict[str, Any]:
    if jar is not None:
        return {"kind": "JAR", "jarArtifact": dict(jar)}
    return {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": script}}
