"""Calls Flink for one run or savepoint. The step is in the store before Flink is called, and again when it answered."""

from __future__ import annotations

from dataclasses import replace

from flinkform.controlplane import secrets
from flinkform.controlplane.reconcile import road, settle
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.decide import Do
from flinkform.controlplane.reconcile.road import Road
from flinkform.controlplane.reconcile.submission import program, script, submission
from flinkform.controlplane.secrets import Secrets, script_of
from flinkform.controlplane.store import runs, savepoints
from flinkform.controlplane.store.intents import tell
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.errors import Conflict, FlinkformError, NotFound, TimedOut, Unavailable
from flinkform.flink.culprit import traced
from flinkform.flink.fleet import Seat
from flinkform.flink.values import Program

_TOLD = {
    Do.SUBMIT: ("JOB_SUBMITTED", "the job was handed to Flink"),
    Do.RECOVER: ("JOB_RECOVERED", "Flink was restarted; the job was handed to it again"),
    Do.REPAIR: ("JOB_REPAIRED", "the job vanished from Flink and was handed to it again"),
}


def submit(bench: Bench, run: Run, do: Do, life: str) -> None:
    """Hand a run to Flink; a refusal ends it. Unavailable or TimedOut: the answer was lost, ask again."""
    known = Secrets()
    try:
        known = _secrets(bench, run)
        fresh = do is Do.SUBMIT and run.step == "NEW"
        way = road.first(bench, run) if fresh else road.again(bench, run)
        calling = _calling(bench, run, do, life, way, fresh=fresh)
        if calling is None:
            return  # something else was asked for meanwhile
        made = submission(bench, calling)
        sent = replace(made, restore=way.place, plan=known.plan(way.flink), allow_non_restored=way.drops)
        sent = replace(sent, script=known.script(made.script))
        sent = replace(sent, program=_program(bench, calling, fresh=fresh))
        bench.runtime(calling).submit(sent)
    except (Unavailable, TimedOut):
        raise
    except FlinkformError as error:
        _refused(bench, run.id, known.mask(str(error)))
        return
    with bench.store.write() as db:
        runs.change(db, calling, {"step": "CALLED"}, now=bench.clock())


def _secrets(bench: Bench, run: Run) -> Secrets:
    with bench.store.read() as db:
        return secrets.of(db, bench.opened, run.workspace, run.namespace, script_of(run.definition))


def _program(bench: Bench, run: Run, *, fresh: bool) -> Program | None:
    """What a run's jar holds. Of a first start whoever keeps the jar must answer: nobody would see it wait."""
    try:
        return program(bench, run, again=not fresh)
    except (Unavailable, TimedOut) as error:
        if not fresh:
            raise
        raise Conflict(error.message, advice=error.advice or "start it again once that answers") from error


def _calling(bench: Bench, run: Run, do: Do, life: str, way: Road, *, fresh: bool) -> Run | None:
    """Write down that the call is made, from which state and under which plan; None if the run is not what it was."""
    now = bench.clock()
    values = {"step": "CALLING", "home": life, "state": "STARTING", "failure": None, "retries": int(do is Do.REPAIR)}
    values |= {"restored_from": way.place, "plan": way.kept} | ({"began_from": way.place} if fresh else {})
    with bench.store.write() as db:
        calling = runs.change(db, run, values, now=now)
        if calling is not None:
            name, message = _TOLD[do]
            tell(db, run, name, f"{message}, from {way.place or 'no state'}, {way.why}", now=now)
        return calling


def _refused(bench: Bench, run_id: str, reason: str) -> None:
    now = bench.clock()
    with bench.store.write() as db:
        run = runs.find(db, run_id)
        if run is not None and run.live:
            settle.end(db, run, Do.END_FAILED, now=now, why=settle.failure(reason, "", now=now))


def cancel(bench: Bench, run: Run) -> None:
    with bench.store.write() as db:
        calling = runs.change(db, run, {"step": "CALLING"}, now=bench.clock())
    if calling is None:
        return
    bench.runtime(run).cancel(run.job_id)
    with bench.store.write() as db:
        runs.change(db, calling, {"step": "CALLED"}, now=bench.clock())


def stray(bench: Bench, run: Run, at: Seat, *, fresh: bool) -> None:
    """Cancel a job whose run has ended or sits elsewhere: a call that was given up reached Flink after all."""
    if fresh:
        with bench.store.write() as db:
            tell(db, run, "JOB_STRAY", "Flink ran the job where it should not be; it is cancelled", now=bench.clock())
    bench.fleet.at(at).cancel(run.job_id)


def trigger(bench: Bench, savepoint: Savepoint, run: Run, life: str) -> None:
    """Ask for a savepoint; a refusal fails it. A job that is gone is left to the next look."""
    with bench.store.write() as db:
        savepoints.change(db, savepoint.id, {"step": "CALLING", "home": life}, now=bench.clock())
    directory = bench.savepoint(savepoint, run)
    options = {"stop": savepoint.stop, "drain": savepoint.drain, "native": savepoint.native}
    try:
        name = bench.runtime(run).savepoint(run.job_id, directory, **options)
    except NotFound:
        return
    except Conflict as error:
        with bench.store.write() as db:
            settle.failed(db, savepoint, run, str(error), now=bench.clock())
        return
    with bench.store.write() as db:
        savepoints.change(db, savepoint.id, {"step": "CALLED", "trigger": name}, now=bench.clock())


def diagnose(bench: Bench, run: Run, do: Do, at: int | None) -> None:
    """Ask Flink why a job failed or keeps restarting, and tell it and how often."""
    try:
        found = bench.runtime(run).failure(run.job_id)
    except NotFound:
        found = None
    now = bench.clock()
    reason, root, advice = "Flink gives no reason; the job's log may", "", ""
    if found:
        told = traced(found, script(run.definition))
        with bench.store.read() as db:
            known = secrets.known(db, bench.opened, run.workspace, run.namespace, script_of(run.definition))
        reason, root, advice = map(known.mask, (str(told), told.root, told.advice))
    why = settle.failure(reason, root, now=at or now, advice=advice)
    with bench.store.write() as db:
        if do is Do.END_FAILED:
            settle.end(db, run, do, now=now, at=at, why=why)
            return
        counted = bench.limit.more(run.troubles, "failed", found.times if found else (), reason, now)
        fresh = set(counted["failed"]) - set(run.troubles.get("failed", ()))
        if do is Do.DIAGNOSE or fresh:
            settle.trouble(db, run, why, counted, now=now)
