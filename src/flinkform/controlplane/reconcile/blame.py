"""A JVM died of one of its jobs: that one goes on alone, so that it does not take the others with it again."""

from __future__ import annotations

import structlog

from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.observe import View
from flinkform.controlplane.store import runs
from flinkform.controlplane.store.intents import tell
from flinkform.flink.fleet import ISOLATION, Seat
from flinkform.flink.values import Death

_log = structlog.get_logger(__name__)


class Vigil:
    """Watches tasks that were told to end: one in an endless loop hears nothing, and ends with its JVM only.

    *limit* in milliseconds; Flink itself gives up after three minutes, and takes every job of the JVM with it. What
    runs in a cluster somewhere else is that cluster's to end.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._since: dict[str, int] = {}

    def stuck(self, view: View) -> list[tuple[Seat, str, Death]]:
        """The runtimes that have to end, the life that each is in, and why; each is told once in a while."""
        ending = {
            job_id: (seat, look.health.life)
            for seat, look in view.looks.items()
            for job_id, seen in (look.jobs or {}).items()
            if seen.ending and look.health.life and not look.health.lasting
        }
        self._since = {job_id: self._since.get(job_id, view.at) for job_id in ending}
        late = [job_id for job_id, since in self._since.items() if view.at - since >= self._limit]
        for job_id in late:
            self._since[job_id] = view.at
        reason = f"a task did not end within {self._limit // 1000} s of being told to"
        return [(*ending[job_id], Death(reason, (job_id,))) for job_id in late]


def blame(bench: Bench, seat: Seat, life: str, death: Death) -> None:
    """Send the likeliest cause of a death to a JVM of its own, and count it; the others go on where they were.

    *life* is the one that ended. A JVM that was ended from outside died of nobody.
    """
    if not death.reason:
        return
    now = bench.clock()
    with bench.store.write() as db:
        there = {run.job_id: run for run in runs.live(db) if run.home == life}
        culprit = next((there[job_id] for job_id in death.suspects if job_id in there), None)
        if culprit is None:
            return
        troubles = bench.limit.more(culprit.troubles, "died", (now,), death.reason, now)
        told = f"{death.reason}, and this job is the likely cause: the job goes on"
        apart = not seat.group and not seat.cluster
        if apart:
            troubles["alone"] = {"run": culprit.id}
            told += f" in a JVM of its own, until it is started with {ISOLATION}: shared"
        if runs.change(db, culprit, {"troubles": troubles}, now=now) is not None:
            tell(db, culprit, "JOB_ISOLATED" if apart else "JOB_JVM_DIED", told, now=now)
    _log.warning("a job is to blame", deployment=culprit.deployment_id, reason=death.reason, jobs=len(there))
