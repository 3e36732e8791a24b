"""What every part of the reconciler works with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flinkform.controlplane.delivery.fetch import Fetch, at
from flinkform.controlplane.reconcile.quarantine import Limit
from flinkform.controlplane.reconcile.seating import seat, target
from flinkform.controlplane.secrets import Open
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
    stores: Mapping[str, str] = field(default_factory=dict)
    """The URI below which a deployment target keeps states, where it is not the folder; "" is the usual target."""

    opened: Open = lambda _: {}
    """Unseals the variables that scripts name."""

    @property
    def fetch(self) -> Fetch:
        """What brings programs here."""
        return at(self.storage.parent / "artifacts")

    def runtime(self, run: Run) -> Runtime:
        """Where a run runs, or shall."""
        return self.fleet.at(seat(run))

    def checkpoints(self, run: Run) -> str:
        """Where a run and the others of its deployment keep their checkpoints; Flink adds the job's id."""
        return f"{self._root(run)}/checkpoints/{run.deployment_id}"

    def own(self, run: Run) -> list[str]:
        """Where a run may have kept checkpoints, the likeliest first: the usual place may have been another one."""
        places = dict.fromkeys((self._root(run), self.stores.get(""), self.storage.as_uri()))
        return [f"{root}/checkpoints/{run.deployment_id}" for root in places if root]

    def roots(self, deployment_id: str) -> list[str]:
        """Wherever runs of a deployment may have kept checkpoints."""
        every = dict.fromkeys((self.storage.as_uri(), *self.stores.values()))
        return [f"{root}/checkpoints/{deployment_id}" for root in every]

    def savepoints(self, run: Run) -> str:
        return f"{self._root(run)}/savepoints/{run.deployment_id}"

    def savepoint(self, taken: Savepoint, run: Run | None) -> str:
        """Where one savepoint goes, alone; *run* is what it is taken of, None if that is gone."""
        return f"{self._root(run)}/savepoints/{taken.folder}"

    def _root(self, run: Run | None) -> str:
        return self.stores.get(target(run) if run else "") or self.storage.as_uri()
