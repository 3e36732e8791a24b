"""What every part of the reconciler works with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.flink.runtime import Runtime


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Bench:
    """The store, the runtime, the folder that states of jobs go below, and the time in milliseconds."""

    store: Store
    runtime: Runtime
    storage: Path
    clock: Callable[[], int] = _milliseconds

    def checkpoints(self, deployment_id: str) -> str:
        """Where the runs of a deployment keep their checkpoints; Flink adds the job's id."""
        return (self.storage / "checkpoints" / deployment_id).as_uri()

    def savepoints(self, deployment_id: str) -> str:
        return (self.storage / "savepoints" / deployment_id).as_uri()

    def savepoint(self, taken: Savepoint) -> str:
        """Where one savepoint goes, alone."""
        return (self.storage / "savepoints" / taken.folder).as_uri()
