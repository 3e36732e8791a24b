"""Leads instances and namespaces through the states that their API promises."""

from __future__ import annotations

from sqlalchemy import Connection

from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.decide import INSTANCE, NAMESPACE
from flinkform.controlplane.store import instances, namespaces


def advance(bench: Bench, *, minimum: int) -> bool:
    """Move on what has been in its state for *minimum* milliseconds; True while anything is on its way."""
    with bench.store.read() as db:
        if not instances.moving(db) and not namespaces.moving(db):
            return False
    now = bench.clock()
    with bench.store.write() as db:
        _namespaces(db, now, minimum)
        _instances(db, now, minimum)
    return True


def _instances(db: Connection, now: int, minimum: int) -> None:
    for one in instances.moving(db):
        if now - one.since < minimum:
            continue
        if INSTANCE[one.status] == "DELETED":
            instances.remove(db, one.id)
        else:
            instances.settle(db, one.id, INSTANCE[one.status], now=now)


def _namespaces(db: Connection, now: int, minimum: int) -> None:
    for one in namespaces.moving(db):
        if now - one.since < minimum:
            continue
        if NAMESPACE[one.status] == "DELETED":
            namespaces.remove(db, one.instance_id, one.name)
        else:
            namespaces.settle(db, one.instance_id, one.name, NAMESPACE[one.status], now=now)
