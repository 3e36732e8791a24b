"""Runs, which the API calls jobs: one start of a deployment, its recorded intent, and what became of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Subquery,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from flinkform.controlplane import units
from flinkform.controlplane.store import savepoints
from flinkform.controlplane.store.paging import Page, cut
from flinkform.controlplane.store.tables import runs as table
from flinkform.errors import Conflict, NotFound

LIVE = ("STARTING", "RUNNING", "CANCELLING")
ENDED = ("FAILED", "CANCELLED", "FINISHED")
COUNTED = {state: state.lower() for state in (*LIVE, *ENDED)}
"""The API's states, and what `jobSummary` calls each."""

PARALLELISM = ("streamingResourceSetting", "basicResourceSetting", "parallelism")
"""Where a definition says it; the only part that can change while the job runs."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Its *id* without dashes is Flink's job id; *definition* is the deployment's document as it was.

    *intent* RUN or STOP is what was asked (HOLD: it fails too often, and shall end), *strategy* how to stop, *step*
    how far the reconciler got: NEW (Flink was not called), CALLING (perhaps it was), CALLED (it answered). *home*
    names the life of the runtime it was handed to, *retries* counts how often it was handed over again for no known
    reason.
    """

    id: str
    seq: int
    """Counts a deployment's runs, from 1."""
    workspace: str
    namespace: str
    deployment_id: str
    revision: int
    name: str
    batch: bool
    creator: str
    created_at: int
    modified_at: int
    definition: Mapping[str, Any]
    restore: Mapping[str, Any]
    """The API's restoreStrategy, as asked."""
    restored_from: str | None
    """The savepoint or checkpoint it was last handed to Flink with."""
    began_from: str | None
    """The one that it was first handed over with; None for a run that began from nothing, however often recovered."""
    intent: str
    strategy: str
    step: str
    home: str | None
    retries: int
    state: str
    started_at: int | None
    """When it was first RUNNING."""
    ended_at: int | None
    failure: Mapping[str, Any] | None
    """The API's {failedAt, message, reason}; also set while a job keeps restarting."""
    troubles: Mapping[str, Any]
    """What the reconciler remembers of its failures."""
    version: int

    @property
    def job_id(self) -> str:
        """Flink's name for it."""
        return uuid.UUID(self.id).hex

    @property
    def live(self) -> bool:
        return self.state in LIVE


_COLUMNS = tuple(table.c[name] for name in Run.__slots__)
_THESE = table.c.deployment_id.in_(bindparam("ids", expanding=True))
_TALLY = (
    select(table.c.deployment_id, table.c.state, func.count())
    .where(_THESE)
    .group_by(table.c.deployment_id, table.c.state)
)
_LAST = (
    select(table.c.deployment_id, func.max(table.c.seq).label("seq"))
    .where(_THESE)
    .group_by(table.c.deployment_id)
    .subquery()
)
_NEWEST = select(*_COLUMNS).join(_LAST, (_LAST.c.deployment_id == table.c.deployment_id) & (_LAST.c.seq == table.c.seq))
_LIVE_OF = (
    select(*_COLUMNS)
    .where(table.c.deployment_id == bindparam("owner"), table.c.state.in_(LIVE))
    .order_by(table.c.seq.desc())
)


@dataclass(frozen=True, slots=True)
class Summary:
    """The runs of one deployment at a glance."""

    counts: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED.values(), 0))
    """The API's jobSummary: how many runs are in each state."""
    revision: int | None = None
    """The deployment's revision that the newest live run was started with; None when nothing runs."""
    newest: Run | None = None

    def outdated(self, revision: int) -> bool:
        """The API's deploymentHasChanged."""
        return self.revision is not None and self.revision != revision


def parallelism(definition: Mapping[str, Any]) -> int:
    """How many instances each operator of a streaming job has."""
    value: Any = definition
    for name in PARALLELISM:
        value = (value or {}).get(name)
    return int(value or 1)


def put(document: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    """A copy of a document with another value at *path*."""
    name, *rest = path
    return {**document, name: put(document.get(name) or {}, rest, value) if rest else value}


def change(db: Connection, run: Run, values: Mapping[str, Any], *, now: int) -> Run | None:
    """Write columns of a run, if nobody else did since *run* was read; otherwise None."""
    written = dict(values) | {"version": run.version + 1, "modified_at": now}
    if "definition" in values:
        written["units"] = units.of_job(values["definition"])
    query = update(table).where(table.c.id == run.id, table.c.version == run.version).values(written)
    return find(db, run.id) if db.execute(query).rowcount else None


def find(db: Connection, run_id: str) -> Run | None:
    row = db.execute(select(*_COLUMNS).where(table.c.id == run_id)).mappings().first()
    return None if row is None else _run(row)


def get(db: Connection, workspace: str, namespace: str, run_id: str) -> Run:
    """NotFound: none of that id in that namespace."""
    query = select(*_COLUMNS).where(
        table.c.workspace == workspace, table.c.namespace == namespace, table.c.id == run_id
    )
    row = db.execute(query).mappings().first()
    if row is None:
        raise NotFound(f"no job {run_id} in namespace {namespace}")
    return _run(row)


def page(db: Connection, deployment_id: str, *, offset: int = 0, limit: int = 10) -> Page[Run]:
    """Runs of a deployment, newest first."""
    rows = cut(db, _newest_first(deployment_id), offset=offset, limit=limit)
    return Page([_run(row) for row in rows.items], rows.total)


def history(db: Connection, deployment_id: str, *, before: int) -> Iterator[Run]:
    """The runs that came before number *before*, newest first; read as they are asked for."""
    return (_run(row) for row in db.execute(_newest_first(deployment_id).where(table.c.seq < before)).mappings())


def live(db: Connection) -> list[Run]:
    """Every run the reconciler has to look after, oldest first."""
    query = select(*_COLUMNS).where(table.c.state.in_(LIVE)).order_by(table.c.created_at, table.c.id)
    return [_run(row) for row in db.execute(query).mappings()]


def taken(db: Connection, workspace: str, namespace: str) -> list[tuple[str, float]]:
    """Name and compute units of every run of a namespace that has not ended."""
    found = db.execute(select(table.c.name, table.c.units).where(_living(workspace, namespace)))
    return [(name, taken) for name, taken in found]


def total(db: Connection, workspace: str, namespace: str) -> float:
    """The compute units of all runs of a namespace that have not ended; read from an index alone."""
    return float(db.scalar(select(func.sum(table.c.units)).where(_living(workspace, namespace))) or 0)


def live_of(db: Connection, deployment_id: str) -> list[Run]:
    """A deployment's runs that have not ended, newest first; one at most when it streams."""
    return [_run(row) for row in db.execute(_LIVE_OF, {"owner": deployment_id}).mappings()]


def foreign_origins(db: Connection) -> frozenset[str]:
    """The states that runs began from which are not their own deployment's, whose id is in the place of each."""
    query = select(table.c.restored_from, table.c.deployment_id).where(table.c.restored_from.is_not(None))
    return frozenset(place for place, owner in db.execute(query) if owner not in place)


def summaries(db: Connection, deployment_ids: Sequence[str]) -> dict[str, Summary]:
    """The summary of each deployment; at most two queries however many are asked for."""
    ids = list(deployment_ids)
    counts = {one: dict.fromkeys(COUNTED.values(), 0) for one in ids}
    tally = db.execute(_TALLY, {"ids": ids}).all()
    for deployment_id, state, number in tally:
        counts[deployment_id][COUNTED[state]] = number
    newest = {run.deployment_id: run for run in _newest(db, ids)} if tally else {}
    return {one: _summary(counts[one], newest.get(one)) for one in ids}


def add(db: Connection, run: Run) -> None:
    values = {name: getattr(run, name) for name in Run.__slots__}
    db.execute(insert(table).values(values | {"units": units.of_job(run.definition)}))


def next_number(db: Connection, deployment_id: str) -> int:
    return (db.scalar(select(func.max(table.c.seq)).where(table.c.deployment_id == deployment_id)) or 0) + 1


def plan(db: Connection, run_id: str) -> str | None:
    """The compiled plan a run was handed over with, as it was kept; None for one that Flink planned itself."""
    return db.scalar(select(table.c.plan).where(table.c.id == run_id))


def newest_plan(db: Connection, deployment_id: str) -> str | None:
    """The plan of a deployment's newest run that has one."""
    query = select(table.c.plan).where(table.c.deployment_id == deployment_id, table.c.plan.is_not(None))
    return db.scalar(query.order_by(table.c.seq.desc()).limit(1))


def remove(db: Connection, run: Run) -> None:
    """Forget a run; its savepoints stay, with its plan. Conflict: it has not ended."""
    if run.live:
        raise Conflict(f"job {run.id} is {run.state}", advice="stop it first")
    savepoints.inherit(db, table.c.id == run.id)
    db.execute(delete(table).where(table.c.id == run.id))


def newest_numbers() -> Subquery:
    """Each deployment's highest run number."""
    number = func.max(table.c.seq).label("seq")
    return select(table.c.deployment_id, number).group_by(table.c.deployment_id).subquery()


def _newest(db: Connection, ids: Sequence[str]) -> list[Run]:
    return [_run(row) for row in db.execute(_NEWEST, {"ids": ids}).mappings()]


def _summary(counts: Mapping[str, int], newest: Run | None) -> Summary:
    return Summary(counts, newest.revision if newest and newest.live else None, newest)


def _living(workspace: str, namespace: str) -> ColumnElement[bool]:
    return (table.c.workspace == workspace) & (table.c.namespace == namespace) & table.c.state.in_(LIVE)


def _newest_first(deployment_id: str) -> Select[Any]:
    return select(*_COLUMNS).where(table.c.deployment_id == deployment_id).order_by(table.c.seq.desc())


def _run(row: RowMapping) -> Run:
    return Run(**row)
