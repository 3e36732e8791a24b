"""Says what an edit would do to a job's state. Nothing is written, nothing is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from flinkform.controlplane.reconcile import restore, road, seating
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.seating import seat
from flinkform.controlplane.reconcile.submission import packed, pin, submission
from flinkform.controlplane.store import runs
from flinkform.controlplane.store.deployments import Deployment
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Unplanned
from flinkform.flink.catalogue import DEFAULT
from flinkform.flink.contents import checked
from flinkform.flink.match import match
from flinkform.flink.plan import Plan
from flinkform.flink.runtime import Runtime
from flinkform.flink.values import Submission
from flinkform.flink.verdict import Outcome, Verdict, judged, verdict
from flinkform.openapi import engine


@dataclass(frozen=True, slots=True)
class _Kept:
    """The state that the next run begins from: of which *run*, where it is now, and the plan it is written under."""

    run: Run | None
    place: str | None
    plan: Plan | None


Planner = Callable[[Run], Runtime]
"""Says which Flink plans a run: one of its engine."""


def foreseen(bench: Bench, proposed: Deployment, planner: Planner) -> Verdict:
    """The verdict on starting *proposed*, which is a deployment as it is to be, from the state its newest run left.

    Of a run that is going on that is the savepoint it is going to be stopped with: it holds what its newest
    checkpoint holds. Invalid: the script, with its place. Unavailable or TimedOut: Flink did not answer.
    """
    if proposed.batch:
        return Verdict(Outcome.SAME, "a batch job keeps no state")
    with bench.store.read() as db:
        kept = _kept(db, bench, proposed.id)
    if kept.run is None or (not kept.run.live and kept.place is None):
        return Verdict(Outcome.COMPATIBLE, "there is no state to take over")
    after = replace(kept.run, definition=proposed.document)
    if kept.plan is None or packed(after.definition):
        return _as_written(bench, kept.run, after)
    runtime, lines = planner(after), [_line(one) for one in (kept.run, after)]
    if seat(after).engine and not runtime.alive:
        return Verdict(Outcome.UNKNOWN, f"Flink {lines[1]} runs no job now, and only it knows how it runs this one")
    said = _compared(submission(bench, after), kept.plan, kept.place, runtime)
    if lines[0] != lines[1] and _release(lines[0]) > _release(lines[1]) and said.outcome is not Outcome.LOST:
        return replace(said, outcome=Outcome.UNKNOWN, reason=f"Flink {lines[1]} may not read what {lines[0]} wrote")
    return said


def _kept(db: Connection, bench: Bench, deployment_id: str) -> _Kept:
    newest = next(iter(runs.live_of(db, deployment_id)), None)
    if newest is not None:
        place = restore.own(db, bench, newest) or newest.restored_from
        return _Kept(newest, place, road.loaded(runs.plan(db, newest.id)))
    number = runs.next_number(db, deployment_id)
    newest = next(runs.history(db, deployment_id, before=number), None)
    place = restore.latest(db, bench, deployment_id, before=number)
    return _Kept(newest, place, road.written(db, place))


def _as_written(bench: Bench, before: Run, after: Run) -> Verdict:
    """Of a job without a compiled plan nobody knows the operators."""
    if packed(before.definition) or packed(after.definition):
        return _packed(before, after)
    was, will_be = ((job.script, job.options) for job in (submission(bench, before), submission(bench, after)))
    if was == will_be and _line(before) == _line(after):
        return Verdict(Outcome.SAME, "its script and its options are what they were")
    return Verdict(Outcome.UNKNOWN, "the job runs as written, without a compiled plan, so only Flink can tell")


def _packed(before: Run, after: Run) -> Verdict:
    """Of a program in a jar only main() knows the operators, and it is not run to be asked."""
    if not packed(before.definition) or not packed(after.definition):
        return Verdict(Outcome.LOST, "a script and a program in a jar have no operator in common")
    parts = [
        (run.definition.get("artifact"), seating.options(run.definition), _line(run), pin(run))
        for run in (before, after)
    ]
    if parts[0] == parts[1]:
        return Verdict(Outcome.SAME, "its program, its arguments and its options are what they were")
    reason = "a program gives its operators their ids (uid) itself: where it keeps them, their state is taken over"
    return Verdict(Outcome.UNKNOWN, reason)


def _line(run: Run) -> str:
    return engine.line(str(run.definition.get("engineVersion") or "")) or DEFAULT


def _release(line: str) -> list[int]:
    return [int(part) for part in line.split(".")]


def _compared(after: Submission, old: Plan, place: str | None, runtime: Runtime) -> Verdict:
    try:
        new = runtime.compile(after.script, after.options, name=after.name, batch=False)
    except Unplanned as error:
        lost = verdict(old, None)
        return Verdict(lost.outcome, f"Flink compiles no plan of the new script: {error}", lost.operators)
    if new is None:
        return verdict(old, None)
    found = match(old, new)
    said = judged(old, found)
    contents = runtime.contents(place) if place else None
    return checked(said, old, found.plan, contents) if contents else said
