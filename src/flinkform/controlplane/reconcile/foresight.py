"""Says what an edit would do to a job's state. Nothing is written, nothing is started."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from flinkform.controlplane.reconcile import restore, road
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.submission import submission
from flinkform.controlplane.store import runs
from flinkform.controlplane.store.deployments import Deployment
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Unplanned
from flinkform.flink.contents import checked
from flinkform.flink.match import match
from flinkform.flink.plan import Plan
from flinkform.flink.values import Submission
from flinkform.flink.verdict import Outcome, Verdict, judged, verdict


@dataclass(frozen=True, slots=True)
class _Kept:
    """The state that the next run begins from: of which *run*, where it is now, and the plan it is written under."""

    run: Run | None
    place: str | None
    plan: Plan | None


def foreseen(bench: Bench, proposed: Deployment) -> Verdict:
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
    was, will_be = (str(one.get("engineVersion")) for one in (kept.run.definition, proposed.document))
    if was != will_be:
        change = f"the engine changes from {was} to {will_be}"
        return Verdict(Outcome.UNKNOWN, f"{change}, and only its start shows what that one can read")
    before = submission(bench, kept.run)
    after = submission(bench, replace(kept.run, definition=proposed.document))
    if kept.plan is None:
        return _as_written(before, after)
    return _compared(bench, after, kept.plan, kept.place)


def _kept(db: Connection, bench: Bench, deployment_id: str) -> _Kept:
    newest = next(iter(runs.live_of(db, deployment_id)), None)
    if newest is not None:
        place = restore.own(db, bench, newest) or newest.restored_from
        return _Kept(newest, place, road.loaded(runs.plan(db, newest.id)))
    number = runs.next_number(db, deployment_id)
    newest = next(runs.history(db, deployment_id, before=number), None)
    place = restore.latest(db, bench, deployment_id, before=number)
    return _Kept(newest, place, road.written(db, place))


def _as_written(before: Submission, after: Submission) -> Verdict:
    """Of a job without a compiled plan nobody knows the operators."""
    if (before.script, before.options) == (after.script, after.options):
        return Verdict(Outcome.SAME, "its script and its options are what they were")
    return Verdict(Outcome.UNKNOWN, "the job runs as written, without a compiled plan, so only Flink can tell")


def _compared(bench: Bench, after: Submission, old: Plan, place: str | None) -> Verdict:
    runtime = bench.fleet.at()
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
