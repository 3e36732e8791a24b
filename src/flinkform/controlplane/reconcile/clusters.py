"""Leads session clusters to what was asked of each: a JVM of its configuration, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.observe import Health
from flinkform.controlplane.reconcile.supervise import Supervision
from flinkform.controlplane.store import clusters, events
from flinkform.controlplane.store.clusters import UP, Cluster
from flinkform.flink.fleet import Seat

_log = structlog.get_logger(__name__)
_TOLD = {
    "RUNNING": "runs",
    "STARTING": "lost its JVM, which is started again",
    "FAILED": "cannot run",
    "STOPPED": "has stopped",
}


class Clusters:
    """Knows of which revision the JVM of each cluster was made: one of another is ended, and a new one takes its jobs.

    They go on from their newest checkpoints, as after any other end of a JVM.
    """

    def __init__(self, bench: Bench, supervision: Supervision) -> None:
        self._bench = bench
        self._supervision = supervision
        self._made: dict[Seat, int] = {}
        self._every: list[Cluster] = []
        self._made_of: dict[Seat, Mapping[str, Any]] = {}

    @property
    def made_of(self) -> Mapping[Seat, Mapping[str, Any]]:
        """What those that shall run are made of, as of the last look at what is needed."""
        return self._made_of

    def needed(self) -> set[Seat]:
        """The seats of the clusters that shall run; begins to end the JVMs of those that shall not, or are others."""
        with self._bench.store.read() as db:
            self._every = clusters.every(db)
            up = [one for one in self._every if one.state in UP]
            self._made_of = {place(one): clusters.made_of(db, one) for one in up}
        wanted = {place(one): one.revision for one in up}
        for seat in [seat for seat in self._made if seat not in wanted]:
            if self._supervision.drop(seat):
                self._made.pop(seat)
        for seat, revision in wanted.items():
            if self._made.get(seat) != revision and self._supervision.drop(seat):
                self._made[seat] = revision
        return {seat for seat, revision in wanted.items() if self._made.get(seat) == revision}

    def look(self, healths: Mapping[Seat, Health]) -> bool:
        """Write down what has come about; True while anything is on its way."""
        moving = False
        for one in self._every:
            seat = place(one)
            gone = seat not in self._made and self._supervision.ended(seat)
            current = self._made.get(seat) == one.revision
            state = step(one.state, healths.get(seat, Health()) if current else None, gone=gone)
            if state != one.state:
                self._settle(one, state, healths.get(seat, Health()).reason)
            moving = moving or state not in ("RUNNING", "STOPPED", "FAILED")
        return moving

    def _settle(self, one: Cluster, state: str, reason: str) -> None:
        now = self._bench.clock()
        values: dict[str, object] = {"state": state, "since": now, "failure": None}
        if state == "RUNNING":
            values["started_at"] = now
        if state == "FAILED":
            values["failure"] = {"reason": "START_FAILED", "message": reason, "failedAt": now}
        with self._bench.store.write() as db:
            if not clusters.change(db, one, values):
                return
            told = f"session cluster {one.name} {_TOLD[state]}" + (f": {reason}" if state == "FAILED" else "")
            name = f"SESSION_CLUSTER_{state}"
            events.record(db, name, told, workspace=one.workspace, namespace=one.namespace, deployment_id="", now=now)
        _log.info("session cluster", name=one.name, state=state)


def place(one: Cluster) -> Seat:
    """Where the jobs of a cluster sit."""
    return Seat(cluster=one.id)


def step(state: str, health: Health | None, *, gone: bool) -> str:
    """The state after a look: *health* is that of the JVM it shall have, None while there is another; *gone*: none."""
    if state == "STOPPING":
        return "STOPPED" if gone else state
    if state not in UP or health is None:
        return state
    if health.life:
        return "RUNNING"
    if health.reason:
        return "FAILED"
    return "STARTING" if state == "RUNNING" else state
