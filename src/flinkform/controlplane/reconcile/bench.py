"""What every part of the reconciler works with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flinkform.controlplane.reconcile.quarantine import Limit
from flinkform.controlplane.reconcile.seating import seat
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.flink.fleet import Fleet
from flinkform.flink.runtime import Runtime


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Bench:
    """The store, the runtimes, the folder that states of jobs go below, the time in milliseconds, and a limit."""

    store: Store
    fleet: Fleet
    storage: Path
    clock: Callable[[], int] = _milliseconds
    limit: Limit = field(default_factory=Limit)

    def runtime(self, run: Run) -> Runtime:
        """Where a run runs, or shall."""
        return self.fleet.at(seat(run))

    def checkpoints(self, deployment_id: str) -> str:
        """Where the runs of a deployment keep their checkpoints; Flink adds the job's id."""
        return (self.storage / "checkpoints" / deployment_id).as_uri()

    def savepoints(self, deployment_id: str) -> str:
        return (self.storage / "savepoints" / deployment_id).as_uri()

    def savepoint(self, taken: Savepoint) -> str:
        """Where one savepoint goes, alone."""
        return (self.storage / "savepoints" / taken.folder).as_uri()
