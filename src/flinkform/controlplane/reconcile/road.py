"""Chooses how a run goes to Flink: from which state, and under a compiled plan whose ids that state knows."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from flinkform.controlplane.reconcile import restore
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.submission import packed, submission
from flinkform.controlplane.store import runs, savepoints
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Conflict, Unplanned
from flinkform.flink import checkpoints
from flinkform.flink.match import match
from flinkform.flink.plan import Plan
from flinkform.flink.verdict import Fate, Outcome, dropped, judged

_NAMED = 3
"""Operators that a refusal names; more are counted."""


@dataclass(frozen=True, slots=True)
class Road:
    """The way of one run: *place* is the state it begins from, *plan* what it runs, None for its script as it is.

    With *drops* Flink is told to leave state alone that no operator takes over. *why* says it all to a person.
    """

    place: str | None
    plan: Plan | None
    drops: bool
    why: str

    @property
    def kept(self) -> str | None:
        """The plan as it is written down."""
        return self.plan.dump() if self.plan else None

    @property
    def flink(self) -> str | None:
        """The plan as Flink reads it."""
        return self.plan.flink() if self.plan else None


@dataclass(frozen=True, slots=True)
class _Past:
    """What is known of the state that a run begins from: where it is, and the plan it was written under."""

    place: str | None
    plan: Plan | None
    high: int
    """The greatest id that any run of the deployment used."""


def first(bench: Bench, run: Run) -> Road:
    """The way of a run that Flink was never called with.

    Conflict: its state is not there, or some of it would be lost and the start did not allow that. Invalid: the
    script. Unavailable or TimedOut: Flink did not compile it in time.
    """
    with bench.store.read() as db:
        place = restore.requested(db, bench, run)
        newest = loaded(runs.newest_plan(db, run.deployment_id))
        past = _Past(place, written(db, place), newest.high if newest else 0)
    if run.batch:
        return Road(place, None, drops=False, why="as written: a batch job keeps no state")
    if packed(run.definition):
        drops = bool(place) and _allowed(run)
        return Road(place, None, drops=drops, why="as the program says, whose operators have the ids it gives them")
    if past.place and past.plan is None:
        why = "as written: so was the job whose state it begins from"
        return Road(place, None, drops=_allowed(run), why=why)
    return _compiled(bench, run, past)


def again(bench: Bench, run: Run) -> Road:
    """The way of a run that was handed over before: its own plan, from its newest state or from where it began."""
    with bench.store.read() as db:
        place = restore.again(db, bench, run)
        plan, past = loaded(runs.plan(db, run.id)), written(db, place)
    if plan is None:
        return Road(place, None, drops=bool(place) and _allowed(run), why="as written, as before")
    drops = past is not None and bool(dropped(past, plan))  # whether it may was asked the first time
    return Road(place, plan, drops=drops, why="under its compiled plan, as before")


def _compiled(bench: Bench, run: Run, past: _Past) -> Road:
    job = submission(bench, run)
    try:
        new = bench.runtime(run).compile(job.script, job.options, name=job.name, batch=False)
    except Unplanned as error:
        return _written_out(run, past, f"Flink compiles no plan of it: {error}")
    if new is None:
        return _written_out(run, past, "its script makes it a batch job, which keeps no state")
    if past.plan is None:
        return Road(None, _above(new, past.high), drops=False, why=_FRESH)
    old = replace(past.plan, high=max(past.plan.high, past.high))
    found = match(old, new)
    said = judged(old, found)
    lost = [f"{o.label} ({o.does}): {o.note}" for o in said.operators if o.fate is Fate.DROPPED]
    why = f"under a compiled plan, matched with that of its state ({said.outcome}: {said.reason})"
    # What a sink's connector keeps of a table that is no longer written to is nobody's loss.
    free = said.outcome in (Outcome.SAME, Outcome.COMPATIBLE)
    return Road(past.place, found.plan, drops=bool(lost) if free else _drops(run, lost), why=why)


def _written_out(run: Run, past: _Past, reason: str) -> Road:
    """The way of a script without a plan, which can take over no state that was written under one."""
    lost = [f"all of it: {reason}"] if past.plan and dropped(past.plan) else []
    return Road(past.place, None, drops=_drops(run, lost), why=f"as written: {reason}")


_FRESH = "under a compiled plan, so that its state outlives edits"


def _drops(run: Run, lost: Sequence[str]) -> bool:
    """Whether state is left behind. Conflict: it would be, and the start did not allow that."""
    if lost and not _allowed(run):
        more = f"; and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        raise Conflict(
            f"{run.name} was not started, for its new script would drop state: {'; '.join(lost[:_NAMED])}{more}",
            advice="take that edit back, start without state, or allow non-restored state to drop it",
        )
    return bool(lost)


def _allowed(run: Run) -> bool:
    return bool(run.restore.get("allowNonRestoredState"))


def _above(plan: Plan | None, high: int) -> Plan | None:
    """A plan for a job without state, under ids that no run of the deployment used."""
    if plan is None or not high:
        return plan
    return plan.renamed({node["id"]: node["id"] + high for node in plan.nodes}, high=plan.high + high)


def written(db: Connection, place: str | None) -> Plan | None:
    """The plan that a checkpoint or savepoint was written under."""
    if place is None:
        return None
    if job := checkpoints.job(place):
        return loaded(runs.plan(db, str(uuid.UUID(job))))
    taken = savepoints.at(db, place)
    return loaded(savepoints.plan(db, taken)) if taken else None


def loaded(text: str | None) -> Plan | None:
    return Plan.load(text) if text else None
