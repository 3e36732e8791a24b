"""Session clusters: what each is on its way to. What it is made of is kept as a thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, insert, select, update

from flinkform.controlplane.store import runs, things
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.tables import clusters as table
from flinkform.controlplane.units import RUNTIME
from flinkform.errors import NotFound

TYPE = "session_cluster"
"""What the things are called that say what clusters are made of."""

UP = ("STARTING", "RUNNING", "UPDATING")
"""The states in which a JVM is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One session cluster; each *revision* wants a JVM of its own, *since* is when its state began."""

    id: str
    workspace: str
    namespace: str
    name: str
    revision: int
    state: str
    since: int
    started_at: int | None = None
    failure: Mapping[str, Any] | None = None

    @property
    def runtime(self) -> str:
        """What the definition of a run in it says."""
        return RUNTIME + self.id


def add(db: Connection, made: Cluster) -> None:
    db.execute(insert(table).values({field.name: getattr(made, field.name) for field in fields(made)}))


def every(db: Connection) -> list[Cluster]:
    return [_cluster(row) for row in db.execute(select(table)).mappings()]


def within(db: Connection, workspace: str, namespace: str) -> list[Cluster]:
    """The clusters of a namespace."""
    query = select(table).where(table.c.workspace == workspace, table.c.namespace == namespace)
    return [_cluster(row) for row in db.execute(query.order_by(table.c.name)).mappings()]


def get(db: Connection, workspace: str, namespace: str, name: str) -> Cluster:
    """The cluster of that name. NotFound."""
    found = next((one for one in within(db, workspace, namespace) if one.name == name), None)
    if found is None:
        raise NotFound(f"no session cluster {name[:80]} in namespace {namespace}")
    return found


def find(db: Connection, cluster_id: str) -> Cluster | None:
    row = db.execute(select(table).where(_key(cluster_id))).mappings().first()
    return None if row is None else _cluster(row)


def document(db: Connection, cluster: Cluster) -> Mapping[str, Any]:
    """What a cluster is made of, as the API has it."""
    return things.get(db, TYPE, cluster.workspace, cluster.namespace, cluster.name).document


def made_of(db: Connection, cluster: Cluster) -> Mapping[str, Any]:
    """What a cluster is made of, nothing where it was deleted meanwhile."""
    found = things.find(db, TYPE, cluster.workspace, cluster.namespace, cluster.name)
    return found.document if found else {}


def change(db: Connection, seen: Cluster, values: Mapping[str, Any]) -> bool:
    """Change a cluster that is still as it was *seen*; False if it is not."""
    same = _key(seen.id) & (table.c.state == seen.state) & (table.c.revision == seen.revision)
    return db.execute(update(table).where(same).values(values)).rowcount == 1


def remove(db: Connection, found: Cluster) -> None:
    db.execute(delete(table).where(_key(found.id)))


def held(db: Connection, cluster: Cluster) -> list[Run]:
    """The runs that sit in a cluster."""
    return [run for run in runs.live(db) if run.definition.get("runtime") == cluster.runtime]


def _key(cluster_id: str) -> ColumnElement[bool]:
    return table.c.id == cluster_id


def _cluster(row: RowMapping) -> Cluster:
    return Cluster(**row)
