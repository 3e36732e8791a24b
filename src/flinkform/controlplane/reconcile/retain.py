"""Lets go of savepoints and checkpoints that no deployment needs any more, and of their files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import structlog
from sqlalchemy import Connection

from flinkform.controlplane.reconcile import artifacts, restore
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.crew import Crew
from flinkform.controlplane.reconcile.patience import Patience
from flinkform.controlplane.retention import Ages, Kept, Policy, surplus
from flinkform.controlplane.store import deployments, events, runs, savepoints
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import ENDED, Savepoint
from flinkform.errors import Conflict, FlinkformError
from flinkform.flink import checkpoints

ERASING = "ERASING"
"""The step of a savepoint whose files may be half gone."""
SWEEP_EVERY = 600_000
"""Milliseconds between two looks for what is no longer needed."""
_REMAINS = 86_400_000
"""Milliseconds for which the checkpoints of a deployment that is gone are kept."""
_CLAIM = "execution.state-recovery.claim-mode"
_NAME = "retention"

_log = structlog.get_logger(__name__)


class Retention:
    """Has savepoints erased that shall go, and finds those that may; a bucket that is silent holds up nothing else."""

    def __init__(self, bench: Bench, crew: Crew, policy: Policy, ages: Ages) -> None:
        self._bench = bench
        self._crew = crew
        self._policy = policy
        self._ages = ages
        self._patience = Patience(first=1000, limit=300_000)
        self._swept = bench.clock()
        self._settled: dict[str, int] = {}

    def look(self, doomed: Iterable[Savepoint]) -> None:
        """Go on with *doomed*, those that are being deleted, and sweep when it is time."""
        now = self._bench.clock()
        for one in doomed:
            if not self._patience.waits(one.id, now):
                self._crew.send(one.id, partial(self._erase, one))
        if now - self._swept >= SWEEP_EVERY:
            self._swept = now
            self._crew.send(_NAME, partial(sweep, self._bench, self._policy, self._settled))
            self._crew.send(artifacts.NAME, partial(artifacts.sweep, self._bench, age=self._ages.artifacts))

    def _erase(self, one: Savepoint) -> None:
        try:
            erase(self._bench, one)
        except FlinkformError as error:
            self._patience.failed(one.id, self._bench.clock())
            _log.warning("a savepoint's files are still there", savepoint=one.id, reason=str(error))
        else:
            self._patience.succeeded(one.id)


def erase(bench: Bench, savepoint: Savepoint) -> None:
    """Remove a savepoint's files, then the savepoint; killed in between, it is begun again.

    Invalid: what is said to be its place is no savepoint's.
    """
    if savepoint.step != ERASING:
        if savepoint.location:
            checkpoints.check(savepoint.location)
        # From here on, what makes it a savepoint may be gone already.
        with bench.store.write() as db:
            savepoints.change(db, savepoint.id, {"step": ERASING}, now=bench.clock())
    with bench.store.read() as db:
        run = runs.find(db, savepoint.run_id)
    for place in filter(None, (savepoint.location, bench.savepoint(savepoint, run))):
        checkpoints.remove(place)
    with bench.store.write() as db:
        savepoints.remove(db, savepoint.id)


def sweep(bench: Bench, policy: Policy, settled: dict[str, int]) -> None:
    """Look at every deployment, also at those that are gone; trouble with one is logged and ends there.

    *settled* remembers those where nothing can change without an event, by the newest one: they are skipped. Only
    what the store knows is looked for: others may keep their state in the same bucket.
    """
    with bench.store.read() as db:
        known = events.owners(db)
        foreign = runs.foreign_origins(db)
    for deployment_id, newest in known.items():
        if settled.get(deployment_id) == newest:
            continue
        try:
            estate = _estate(bench, deployment_id, policy, foreign)
            if not _thin(bench, estate) and not estate.waits:
                settled[deployment_id] = newest
        except FlinkformError as error:
            _log.warning("what may go stays", deployment=deployment_id, reason=str(error))


def _thin(bench: Bench, estate: _Estate) -> bool:
    """Let go of what may go; False if there was nothing."""
    gone = _spare_savepoints(estate, bench.clock())
    _release(bench, gone)
    places = [*_spare_folders(bench, estate), *_abandoned(bench, estate)]
    for place in places:
        checkpoints.remove(place)
        _log.info("checkpoints removed", deployment=estate.id, place=place)
    return bool(gone or places)


@dataclass(frozen=True, slots=True)
class _Estate:
    """What is known of one deployment, which may be *gone*."""

    id: str
    gone: bool
    policy: Policy
    live: Sequence[Run]
    taken: Sequence[Savepoint]
    """What flinkform took by itself and is done with."""
    places: frozenset[str]
    """The states that a run may have to begin from."""

    @property
    def waits(self) -> bool:
        """Whether time alone, or a checkpoint, may make more go."""
        restored = any(checkpoints.job(run.restored_from or "") == run.job_id for run in self.live)
        return self.gone or self.policy.age is not None or restored


def _estate(bench: Bench, deployment_id: str, policy: Policy, foreign: frozenset[str]) -> _Estate:
    with bench.store.read() as db:
        source = deployments.find(db, deployment_id)
        live = runs.live_of(db, deployment_id)
        taken = savepoints.unasked(db, deployment_id)
        own = policy.of(source.document.get("labels") or {}) if source else policy
        places = foreign | _places(db, bench, deployment_id, live)
    return _Estate(deployment_id, source is None, own, live, taken, frozenset(places))


def _places(db: Connection, bench: Bench, deployment_id: str, live: Sequence[Run]) -> set[str]:
    """What runs that go on, and the next start, may begin from."""
    found = [run.restored_from for run in live]
    found += [restore.own(db, bench, run) for run in live]
    found += [one.location for one in savepoints.completed(db, deployment_id)[:1]]
    with suppress(Conflict):  # the files of the newest savepoint are not there
        found.append(restore.latest(db, bench, deployment_id, before=runs.next_number(db, deployment_id)))
    return {place for place in found if place}


def _spare_savepoints(estate: _Estate, now: int) -> list[str]:
    """The ids of savepoints that may go; of those that failed some are kept, too, to be looked at."""
    running = {run.id for run in estate.live}
    needed = {one.id for one in estate.taken if one.location in estate.places or (one.stop and one.run_id in running)}
    found: list[str] = []
    for state in ENDED:
        kept = [Kept(one.id, one.modified_at) for one in estate.taken if one.state == state]
        found += surplus(kept, estate.policy, needed=needed, now=now)
    return found


def _release(bench: Bench, gone: Sequence[str]) -> None:
    """Write down that savepoints shall go, unless a run was asked to begin from one meanwhile; their files follow."""
    if not gone:
        return
    now = bench.clock()
    with bench.store.write() as db:
        live = runs.live(db)
        asked = {run.restore.get("savepointId") for run in live} | {run.restored_from for run in live}
        for one in filter(None, (savepoints.find(db, name) for name in gone)):
            if one.state in ENDED and not asked & {one.id, one.location}:
                savepoints.request_delete(db, one, now=now)
                place = {"workspace": one.workspace, "namespace": one.namespace, "deployment_id": one.deployment_id}
                told = f"savepoint {one.id} is no longer kept: newer ones are"
                events.record(db, "SAVEPOINT_EXPIRED", told, **place, run_id=one.run_id, now=now)


def _spare_folders(bench: Bench, estate: _Estate) -> list[str]:
    """The folders of jobs that ended: those without a complete checkpoint, and those beyond what is kept."""
    running = {run.job_id for run in estate.live}
    where = {job: root for root in bench.roots(estate.id) for job in checkpoints.folders(root) if job not in running}
    found = {job: checkpoints.newest(root, job) for job, root in where.items()}
    whole = [Kept(job, checkpoints.completed_at(place) // 10**6) for job, place in found.items() if place]
    needed = {job for place in estate.places if (job := checkpoints.job(place))}
    policy = estate.policy
    if estate.gone:
        policy = Policy(newest=0, age=max(_REMAINS, policy.age or 0))
    elif whole and not running:
        needed.add(max(whole, key=lambda one: one.made).name)  # were its run forgotten, it may be all there is
    old = surplus(whole, policy, needed=needed, now=bench.clock())
    return [checkpoints.join(where[job], job) for job, place in found.items() if job in old or not place]


def _abandoned(bench: Bench, estate: _Estate) -> Iterable[str]:
    """The checkpoints that running jobs were restored from, and those before: Flink leaves them to nobody.

    Unless a claim mode was asked for, a job owes nothing to them from its first own checkpoint on.
    """
    for run in estate.live:
        place = run.restored_from or ""
        if checkpoints.job(place) != run.job_id or _CLAIM in (run.definition.get("flinkConf") or {}):
            continue
        root = bench.checkpoints(run)
        start, newest = checkpoints.number(place), checkpoints.newest(root, run.job_id)
        if newest and checkpoints.number(newest) > start:
            folder = checkpoints.join(root, run.job_id)
            yield from (checkpoints.join(folder, f"chk-{n}") for n in checkpoints.numbers(folder) if n <= start)
