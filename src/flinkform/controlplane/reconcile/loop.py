"""The reconciler's one thread: look at everything, decide for each, and send what takes time to a small crew."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial

import structlog

from flinkform.controlplane.reconcile import act, observe, places, rescale, settle
from flinkform.controlplane.reconcile.bench import Bench
from flinkform.controlplane.reconcile.blame import Vigil, blame
from flinkform.controlplane.reconcile.clusters import Clusters
from flinkform.controlplane.reconcile.crew import Crew
from flinkform.controlplane.reconcile.decide import Do, Move, Take, decide, take
from flinkform.controlplane.reconcile.eyes import Eyes
from flinkform.controlplane.reconcile.levels import Levels
from flinkform.controlplane.reconcile.observe import View
from flinkform.controlplane.reconcile.park import park
from flinkform.controlplane.reconcile.patience import Patience
from flinkform.controlplane.reconcile.quarantine import Pulse
from flinkform.controlplane.reconcile.retain import Retention
from flinkform.controlplane.reconcile.seating import seat
from flinkform.controlplane.reconcile.silence import Silence
from flinkform.controlplane.reconcile.strays import Strays
from flinkform.controlplane.reconcile.supervise import Supervision
from flinkform.controlplane.retention import Ages, Policy
from flinkform.controlplane.store import audit, events, nonces, rescales, runs, savepoints
from flinkform.controlplane.store.intents import tell
from flinkform.controlplane.store.rescales import Rescale
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.errors import FlinkformError, Unavailable

BUSY_TICK = 0.25
"""Seconds between looks while anything is on its way."""
IDLE_TICK = 0.5
"""Seconds between looks otherwise: how late a change in Flink may be known."""
_CREW = 4
_MOST = 64
"""Runtimes that may be slow to answer before the others have to wait."""
_PRUNE_EVERY = 600_000
_NONCES_KEPT = 3_600_000
_SENT = (Do.SUBMIT, Do.RECOVER, Do.REPAIR, Do.CANCEL, Do.DIAGNOSE, Do.COUNT, Do.END_FAILED)

_log = structlog.get_logger(__name__)


class Loop:
    """Leads every deployment of one store to its desired state.

    Only this looks at Flink's jobs and acts on them. Stopping it leaves every desired state alone: jobs are put
    to rest, and go on at the next start. *minimum* is how many milliseconds an instance or namespace stays in a
    passing state.
    """

    def __init__(
        self,
        bench: Bench,
        *,
        executor: Executor | None = None,
        minimum: int = 200,
        policy: Policy | None = None,
        ages: Ages | None = None,
    ) -> None:
        self._bench = bench
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._crew = Crew(executor or ThreadPoolExecutor(_CREW, "reconcile"), done=self.wake)
        self._supervision = Supervision(bench.fleet, self._crew, bench.clock)
        self._clusters = Clusters(bench, self._supervision)
        self._eyes = Eyes(bench.fleet, executor or ThreadPoolExecutor(_MOST, "look"), bench.clock)
        self._ages = ages or Ages()
        self._retention = Retention(bench, self._crew, policy or Policy(), self._ages)
        self._patience = Patience(first=500, limit=30_000)
        self._pulse = Pulse()
        self._vigil = Vigil(bench.limit.stuck)
        self._levels = Levels(bench.fleet, self._crew)
        self._silence = Silence(bench)
        self._strays = Strays(bench.store)
        self._minimum = minimum
        self._pruned = bench.clock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="reconcile", daemon=True)
        self._thread.start()

    def stop(self, *, rest: int = 10_000, pause: Callable[[], None] | None = None) -> None:
        """End the thread, wait for the calls under way, and put the jobs to rest for at most *rest* milliseconds.

        The runtime is the caller's to stop, afterwards.
        """
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join()
        self._crew.close()
        lives = self._supervision.lives
        if lives and rest:
            park(self._bench, self._eyes, lives, milliseconds=rest, pause=pause or partial(time.sleep, 0.1))
        self._eyes.close()

    @property
    def trouble(self) -> str:
        """Why Flink cannot be started, once that is known."""
        return self._supervision.trouble

    def wake(self) -> None:
        """Look now: something was asked for."""
        self._woken.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                moving = self.tick()
            except Exception:  # noqa: BLE001  the edge of the thread: the next look may go better
                _log.exception("look")
                moving = True
            self._woken.wait(BUSY_TICK if moving else IDLE_TICK)

    def tick(self) -> bool:
        """One look and what follows from it; True while anything is on its way."""
        # Before looking: what a call changes while it is under way must not be judged by this look.
        busy = self._crew.busy
        for fallen in self._supervision.fallen():
            blame(self._bench, *fallen)
        with self._bench.store.read() as db:
            live = runs.live(db)
            pending, changes = savepoints.under_way(db), rescales.under_way(db)
            taking = [one for one in pending if one.state == "STARTED"]
            asked = [(one, runs.find(db, one.run_id)) for one in taking if one.step == "CALLED"]
        healths = self._supervision.check({seat(run) for run in live} | self._clusters.needed())
        view = observe.look(self._bench, self._eyes, healths, asked)
        for at, life, death in self._vigil.stuck(view):
            blame(self._bench, at, life, death)
            self._supervision.end(at)
        self._levels.look(live, view, self._clusters.made_of)
        self._silence.look(live, view)
        shaken = {one.run_id for one in changes if one.step != "NEW"}
        for one in taking:
            if self._free(one, busy) and one.run_id not in shaken:
                self._guard(one, partial(self._savepoint, one, view), clears=False)
        saving = {one.run_id for one in taking if one.step != "NEW"}
        for change in changes:
            if self._free(change, busy):
                self._guard(change, partial(self._rescale, change, view, saving), clears=False)
        moving = self._runs(live, view, busy, shaken) or bool(pending or changes) or not view.whole
        moving = places.advance(self._bench, minimum=self._minimum) or moving
        moving = self._clusters.look(healths) or moving
        self._retention.look(one for one in pending if one.state == "DELETING")
        self._prune()
        return moving or bool(self._crew.busy)

    def _free(self, about: Run | Savepoint | Rescale, busy: frozenset[str]) -> bool:
        """Whether its deployment may be looked at now."""
        name = about.deployment_id
        return name not in busy and not self._patience.waits(name, self._bench.clock())

    def _runs(self, live: list[Run], view: View, busy: frozenset[str], shaken: set[str]) -> bool:
        """Take every run one step on; True while one is not where it shall be. *shaken* change their parallelism."""
        with self._bench.store.read() as db:
            stops = savepoints.of_stops(db, [run.id for run in live if run.intent == "STOP"])
        moving = False
        for run in live:
            if not self._free(run, busy) or self._one(run, view, stops.get(run.id), shaken=run.id in shaken):
                moving = True
        belong = {run.job_id: seat(run) for run in live}
        for run, at, fresh in self._strays.look(belong, view, busy=self._crew.busy):
            self._send(run, partial(act.stray, self._bench, run, at, fresh=fresh))
        return moving

    def _one(self, run: Run, view: View, stop: Savepoint | None, *, shaken: bool) -> bool:
        # Flink restarts the tasks of a job whose parallelism changes, which is no trouble.
        restless = self._pulse.beats(run.job_id, view.job(run)) and not shaken
        flapping = bool(self._bench.limit.reached(run.troubles, view.at))
        do = decide(observe.facts(run, view, stop, moving=shaken, restless=restless, flapping=flapping))
        if do in _SENT:
            self._call(do, run, view)
        elif do is not Do.WAIT:
            self._guard(run, partial(self._note, do, run, view, stop))
        return do is not Do.WAIT or run.state != "RUNNING"

    def _call(self, do: Do, run: Run, view: View) -> None:
        """Send what asks Flink for something."""
        seen, life = view.job(run), view.of(run).health.life
        if do is Do.CANCEL:
            self._send(run, partial(act.cancel, self._bench, run))
        elif do in (Do.DIAGNOSE, Do.COUNT, Do.END_FAILED):
            self._send(run, partial(act.diagnose, self._bench, run, do, seen.end if seen else None))
        elif life is not None:
            self._send(run, partial(act.submit, self._bench, run, do, life))

    def _note(self, do: Do, run: Run, view: View, stop: Savepoint | None) -> None:
        """Write down what needs no call."""
        now, seen, trouble = self._bench.clock(), view.job(run), view.of(run).health.reason
        with self._bench.store.write() as db:
            if do is Do.KEEP:
                settle.keep(db, run, stop, now=now)
            elif do is Do.HOLD:
                settle.hold(db, run, self._bench.limit.reached(run.troubles, view.at), now=now)
            elif do is Do.END_HELD:
                settle.end(db, run, do, now=now, why=run.failure)
            elif do in (Do.END_LOST, Do.END_BROKEN):
                reason = trouble or "the job vanished from Flink twice"
                settle.end(db, run, do, now=now, why=settle.failure(reason, "", now=now))
            elif do in (Do.END_CANCELLED, Do.END_FINISHED):
                settle.end(db, run, do, now=now, at=seen.end if seen else None)
            else:
                settle.state(db, run, do, now=now, why=trouble)

    def _savepoint(self, one: Savepoint, view: View) -> None:
        bench = self._bench
        with bench.store.read() as db:
            run = runs.find(db, one.run_id)
        facts = observe.snapshot(bench, one, run, view)
        step = take(facts)
        life = view.of(run).health.life if run else None
        if step is Take.TRIGGER and run is not None and life is not None:
            self._send(one, partial(act.trigger, bench, one, run, life))
        elif step is not Take.WAIT:
            self._conclude(one, view, run, step)

    def _rescale(self, one: Rescale, view: View, saving: set[str]) -> None:
        bench = self._bench
        with bench.store.read() as db:
            run = runs.find(db, one.run_id)
        do = rescale.step(one, run, view, saving=saving)
        if do in (Move.CALL, Move.UNDO) and run is not None:
            self._send(one, partial(rescale.call if do is Move.CALL else rescale.undo, bench, one, run))
        elif do is not Move.WAIT:
            with bench.store.write() as db:
                rescale.note(db, one, run, do, now=bench.clock())

    def _conclude(self, one: Savepoint, view: View, run: Run | None, step: Take) -> None:
        now = self._bench.clock()
        status = view.taken.get(one.id)
        place = status.location if status else None
        if step is Take.ADOPT:
            place = observe.on_disk(self._bench, one, run)
        with self._bench.store.write() as db:
            if step is not Take.FAIL and place:
                settle.completed(db, one, run, place, now=now)
            else:
                settle.failed(db, one, run, _why(one, view, run), now=now)

    def _send(self, about: Run | Savepoint | Rescale, work: Callable[[], None]) -> None:
        self._crew.send(about.deployment_id, partial(self._guard, about, work))

    def _guard(self, about: Run | Savepoint | Rescale, work: Callable[[], None], *, clears: bool = True) -> None:
        """Keep one deployment's trouble from the others: log it, tell it, and try again later."""
        name = about.deployment_id
        try:
            work()
        except FlinkformError as error:
            self._patience.failed(name, self._bench.clock())
            _log.warning("step failed", deployment=name, about=about.id, reason=str(error))
            if not isinstance(error, Unavailable):
                self._tell(about, str(error))
        except Exception as error:  # noqa: BLE001  the edge of a deployment: a bug in one must not stop the rest
            self._patience.failed(name, self._bench.clock())
            _log.exception("step failed", deployment=name, about=about.id)
            self._tell(about, f"a bug in flinkform: {type(error).__name__}")
        else:
            if clears:
                self._patience.succeeded(name)

    def _tell(self, about: Run | Savepoint | Rescale, message: str) -> None:
        """Make trouble an event, once in a row."""
        if self._patience.failures(about.deployment_id) > 1:
            return
        with self._bench.store.write() as db:
            run = runs.find(db, about.id if isinstance(about, Run) else about.run_id)
            if run is not None:
                tell(db, run, "RECONCILE_FAILED", message, now=self._bench.clock())

    def _prune(self) -> None:
        now = self._bench.clock()
        if now - self._pruned >= _PRUNE_EVERY:
            self._pruned = now
            with self._bench.store.write() as db:
                events.prune(db)
                nonces.prune(db, before=now - _NONCES_KEPT)
            if self._ages.audit is not None:
                with self._bench.store.write() as db:
                    audit.prune(db, before=now - self._ages.audit, now=now)


def _why(one: Savepoint, view: View, run: Run | None) -> str:
    """Why a savepoint failed, for a person."""
    status = view.taken.get(one.id)
    if status is not None and status.error:
        return status.error
    if run is None or run.home is None:
        return "the job had not been started"
    seen = view.sight(run)
    if one.id in view.forgotten or seen in ("DOWN", "GONE", "LOST", "BROKEN"):
        return "Flink was restarted before the savepoint was done"
    return f"the job was {seen} and cannot take a savepoint"
