"""Jobs that run although their run has ended, or sits elsewhere; what is not ours is left alone."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping

from flinkform.controlplane.reconcile.observe import View
from flinkform.controlplane.reconcile.patience import Patience
from flinkform.controlplane.store import runs
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.runs import Run
from flinkform.flink.fleet import Seat

AGAIN = 5000
"""Milliseconds until a stray that was to end, and runs on, is due again; each time twice as long."""


class Strays:
    """Finds them, each once, and again only where it took no notice for a while."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._patience = Patience(first=AGAIN, limit=8 * AGAIN)

    def look(self, live: Mapping[str, Seat], view: View, *, busy: Collection[str]) -> Iterator[tuple[Run, Seat, bool]]:
        """The runs whose jobs are to end now, where they run, and whether that is new.

        *live* is where jobs belong; *busy* are deployments that something is done to.
        """
        found = {
            f"{job_id} in {at.folder}": (job_id, at)
            for at, look in view.looks.items()
            for job_id, seen in (look.jobs or {}).items()
            if not seen.state.final and live.get(job_id) != at
        }
        self._patience.only(found)
        for name, (job_id, at) in found.items():
            if self._patience.waits(name, view.at):
                continue
            with self._store.read() as db:
                run = runs.find(db, str(uuid.UUID(job_id)))
            if run is not None and run.deployment_id not in busy and (job_id in live or not run.live):
                yield run, at, self._patience.failed(name, view.at) == 1
