"""Session clusters that cease to answer, and those that answer again: an event of every job in them."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.observe import View
from flinkform.controlplane.reconcile.seating import seat
from flinkform.controlplane.store.intents import tell
from flinkform.controlplane.store.runs import Run
from flinkform.flink.fleet import Seat

PATIENCE = 5000
"""Milliseconds for which a cluster may be silent before that is an event: a network may stumble."""

_log = structlog.get_logger(__name__)


class Silence:
    """Remembers which clusters are silent, and since when; a control plane that was started anew tells it again."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._since: dict[Seat, int] = {}
        self._lost: set[Seat] = set()

    def look(self, live: Sequence[Run], view: View) -> None:
        """Tell what was lost or came back since the last look."""
        silent = {at for at, look in view.looks.items() if look.health.lasting and look.jobs is None}
        self._since = {at: self._since.get(at, view.at) for at in silent}
        lost = {at for at, since in self._since.items() if view.at - since >= PATIENCE}
        back = (self._lost & view.looks.keys()) - silent
        for at in lost - self._lost:
            why = self._bench.fleet.at(at).silent or f"the session cluster {at.target} does not answer"
            self._tell(live, at, "CLUSTER_LOST", f"{why}; nothing is known of the job, nothing is done about it")
        for at in back:
            self._tell(live, at, "CLUSTER_BACK", f"the session cluster {at.target} answers again")
        self._lost = (self._lost | lost) & view.looks.keys() - back

    def _tell(self, live: Sequence[Run], at: Seat, name: str, message: str) -> None:
        _log.warning(message, target=at.target)
        with self._bench.store.write() as db:
            for run in live:
                # One that was never handed over is still ours to start.
                if run.home is not None and seat(run) == at:
                    tell(db, run, name, message, now=self._bench.clock())
