"""Whatever happens, in whatever order: never two jobs of one deployment, no state lost, and every run converges."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flinkform.controlplane.store import events, rescales, runs, savepoints
from flinkform.controlplane.store.events import Event
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.errors import Conflict, Unavailable
from flinkform.flink import checkpoints
from flinkform.flink.values import Phase
from tests.unit.controlplane.reconcile.conftest import NS, WS, artifact, made
from tests.unit.controlplane.reconcile.counting import SCRIPTS, Counting, Killed
from tests.unit.controlplane.tables import Kind

MOVES = {
    Phase.STARTING: (Phase.RUNNING, Phase.RUNNING, Phase.FAILED, Phase.RESTARTING),
    Phase.RUNNING: (Phase.RESTARTING, Phase.FAILED, Phase.FINISHED, Phase.STARTING),
    Phase.RESTARTING: (Phase.RUNNING, Phase.RUNNING, Phase.FAILED),
    Phase.STOPPING: (Phase.CANCELED,),
}
"""What a job may do by itself."""


class Play:
    """One deployment, one control plane, one Flink, and what may befall them; *n* picks one of several ways."""

    def __init__(self, folder: Path, kind: Kind) -> None:
        self.flink = Counting(least=self.least)
        self.world = made(folder, self.flink, kind)
        self.deployment = self.world.deployment(artifact=artifact(SCRIPTS[0]))
        self.asked: dict[str, str] = {}
        """Every run that was asked for, and the script that it is of."""
        self.stops: dict[str, str] = {}
        """The strategy of every stop that was asked for, by run."""
        self.saves: set[str] = set()
        """The savepoints that were asked for."""
        self.ended: dict[str, str] = {}
        self.saved_once: set[str] = set()
        """The runs whose stop left a savepoint, which may be gone again by now."""
        self.completed: set[str] = set()
        """The savepoints that were told complete, which may be gone again by now too."""
        self.waited_for: set[str] = set()
        """The savepoints that were not given up when one of Flink's ended."""

    def start(self, n: int) -> None:
        kind = ("NONE", "LATEST_STATE", "LATEST_STATE", "LATEST_SAVEPOINT")[n % 4]
        try:
            run = self.world.ask_start(self.deployment, kind, allowNonRestoredState=n > 3)
            self.asked[run.id] = _script(run)
        except Conflict:
            assert self.live()

    def edit(self, n: int) -> None:
        self.deployment = self.world.edit(self.deployment, SCRIPTS[n % len(SCRIPTS)])

    def up(self, n: int) -> None:
        """Flink plays along until the job runs and has counted."""
        self.calm()
        self.start(n)
        self.kindly(3)
        self.count(n)

    def down(self, n: int) -> None:
        """Flink plays along until the job has ended."""
        self.calm()
        self.stop(n % 4)
        self.kindly(3)

    def stop(self, n: int) -> None:
        strategy = ("NONE", "STOP_WITH_SAVEPOINT", "STOP_WITH_SAVEPOINT", "STOP_WITH_DRAIN")[n % 4]
        for run in self.live():
            self.world.ask_stop(run, strategy)
            if self.stops.get(run.id) != "NONE":
                self.stops[run.id] = strategy
        self.look(n // 4)

    def upgrade(self, n: int) -> None:
        """All of it at once, as by somebody who waits for nothing, be another upgrade under way or not."""
        self.stop(1)
        self.edit(n)
        self.start(1)
        self.look(n % 3)

    def save(self, n: int) -> None:
        for run in self.live():
            if run.state == "RUNNING":
                self.saves.add(self.world.ask_savepoint(run).id)
        self.look(n % 2)

    def rescale(self, n: int) -> None:
        for run in self.live():
            with suppress(Conflict):
                self.world.ask_rescale(run, 1 + n % 3)
        self.look(n % 2)

    def take_up(self, n: int) -> None:
        for job_id in self.flink.wanted.keys() & self.flink.jobs.keys():
            self.flink.take_up(job_id)
        self.look(n % 2)

    def tick(self, n: int) -> None:
        self.look(1 + n % 3, later=(1, 250, 4000)[n // 3])

    def look(self, times: int, *, later: int = 250) -> None:
        for _ in range(times):
            try:
                self.world.tick(later=later)
            except Killed:
                self.world.restart_controlplane()

    def move(self, n: int) -> None:
        for job_id, job in self.flink.jobs.items():
            if phases := MOVES.get(job.seen.state):
                self.flink.see(job_id, phases[n % len(phases)])

    def count(self, n: int) -> None:
        for job_id, job in self.flink.jobs.items():
            if job.seen.state is Phase.RUNNING:
                self.flink.counts[job_id] += 1 + n
                if n % 2:
                    self.flink.keep(self.flink.checkpoint(job_id), job_id)

    def saved(self, n: int) -> None:
        for trigger in self.flink.taking()[: 1 + n % 2]:
            self.waited_for |= {one.id for one in self.started()}
            self.flink.end(trigger, ("no space left", "late", None, None)[n % 4])

    def die(self, n: int) -> None:
        if n % 2:
            self.flink.crash()
        else:
            self.world.restart_controlplane()
        self.look(n // 2, later=4000)

    def rest(self, n: int) -> None:
        """The control plane ends as it should; its jobs' savepoints come in time, late, or not at all."""

        def pause() -> None:
            self.world.clock.now += 2000
            for trigger in self.flink.taking()[: n % 3]:
                self.flink.end(trigger, None)

        try:
            self.world.end_controlplane(pause)
        except Killed:
            self.world.restart_controlplane()
        self.look(n // 2, later=4000)

    def lose(self, n: int) -> None:
        name = ("submit", "cancel", "savepoint", "rescale")[n % 4]
        self.flink.lost = {name if n < 4 else f"{name} late"}

    def kill(self, n: int) -> None:
        """Kill the control plane in its next call of that kind."""
        self.flink.killing = ("submit", "cancel", "savepoint", "savepoint")[n % 4] + (" before" if n < 4 else " after")

    def hush(self, n: int) -> None:
        self.flink.observe_error = Unavailable("timed out") if n % 2 else None

    def vanish(self, n: int) -> None:
        self.flink.vanish()
        self.look(n)

    def stay_down(self, n: int) -> None:
        self.flink.start_error = Unavailable("no") if n % 2 else None

    def calm(self, _n: int = 0) -> None:
        self.flink.lost, self.flink.observe_error, self.flink.start_error = set(), None, None
        self.flink.killing = ""

    def check(self) -> None:
        """What holds at any time."""
        assert self.flink.wrongs == []
        with self.world.store.read() as db:
            told = events.page(db, WS, NS, limit=1000).items
            taken = savepoints.page(db, WS, NS, limit=1000).items
        failures = {one.message for one in told if one.name == "RECONCILE_FAILED"}
        assert failures <= {"Flink did not answer within 60 s"}
        assert all(checkpoints.exists(one.location or "") for one in taken if one.state == "COMPLETED")
        self.completed |= {one.id for one in taken if one.state == "COMPLETED"}
        self.saved_once |= {one.run_id for one in taken if one.stop and one.state == "COMPLETED"}
        every = self.every_run()
        for run in every:
            if run.live:
                assert run.id not in self.ended
            else:
                self.check_end(run)
        self.remembered(every, {one.id for one in taken}, told)

    def remembered(self, every: list[Run], taken: set[str], told: list[Event]) -> None:
        """Nothing that was answered is forgotten, and no end is told twice."""
        assert {run.id: _script(run) for run in every} == self.asked
        assert self.saves <= taken
        given_up = {one.run_id for one in told if one.name == "JOB_STOP_FAILED"}
        for run in every:
            asked = self.stops.get(run.id)
            assert not run.live or not asked or run.intent == "STOP" or (asked != "NONE" and run.id in given_up)
        ends = Counter(one.run_id for one in told if one.name in _ENDS)
        outcomes = Counter(one.message.split()[1] for one in told if one.name in _OUTCOMES)
        assert max([0, *ends.values(), *outcomes.values()]) <= 1

    def check_end(self, run: Run) -> None:
        """The end is the end, of the job in Flink too; a stop with a savepoint has one."""
        assert self.ended.setdefault(run.id, run.state) == run.state
        if run.job_id in self.flink.jobs:
            assert self.flink.jobs[run.job_id].seen.state.final
        if run.failure and "vanished" in run.failure["reason"]:
            assert run.retries  # one that went with its JVM is brought back
        if run.state == "CANCELLED" and run.strategy != "NONE" and run.home:
            assert run.id in self.saved_once

    def settle(self, times: int = 12) -> None:
        """Let the world be kind: everything reaches what was asked for."""
        self.calm()
        self.kindly(times)
        self.check()
        for run in self.every_run():
            if run.live:
                assert (run.intent, run.state, run.step) == ("RUN", "RUNNING", "CALLED")
                assert self.flink.jobs[run.job_id].seen.state is Phase.RUNNING
        assert self.started() == []
        with self.world.store.read() as db:
            assert rescales.under_way(db) == []
        for run in self.every_run():
            if run.live:
                told = self.flink.wanted.get(run.job_id, self.flink.jobs[run.job_id].submission.parallelism)
                assert told == runs.parallelism(run.definition)
        assert self.flink.done & self.waited_for <= self.completed

    def kindly(self, times: int) -> None:
        """Flink does what it was asked for, and the reconciler sees it."""
        for _ in range(times):
            self.look(1, later=40_000)
            for trigger in self.flink.taking():
                self.waited_for |= {one.id for one in self.started()}
                self.flink.end(trigger, None)
            for job_id, job in self.flink.jobs.items():
                if job.seen.state in (Phase.STARTING, Phase.RESTARTING):
                    self.flink.see(job_id, Phase.RUNNING)
                elif job.seen.state is Phase.STOPPING:
                    self.flink.see(job_id, Phase.CANCELED)
                if job_id in self.flink.wanted:
                    self.flink.take_up(job_id)
        self.look(1)

    def least(self, job_id: str) -> int:
        """The count that a job has to begin with: the newest of the run before, if it shall go on from there."""
        every = self.every_run()
        run = next(one for one in every if one.job_id == job_id)
        if run.restore["kind"] != "LATEST_STATE":
            return 0
        for former in every[every.index(run) + 1 :]:
            if former.job_id in self.flink.durable:
                return self.flink.durable[former.job_id]
            if former.started_at is not None or former.restored_from:
                return 0
        return 0

    def started(self) -> list[Savepoint]:
        with self.world.store.read() as db:
            return savepoints.under_way(db)

    def live(self) -> list[Run]:
        with self.world.store.read() as db:
            return runs.live_of(db, self.deployment.id)

    def every_run(self) -> list[Run]:
        with self.world.store.read() as db:
            return runs.page(db, self.deployment.id, limit=1000).items


def _script(run: Run) -> str:
    return str(run.definition["artifact"]["sqlArtifact"]["sqlScript"])


_ENDS = ("JOB_CANCELLED", "JOB_FAILED", "JOB_FINISHED")
_OUTCOMES = ("SAVEPOINT_COMPLETED", "SAVEPOINT_FAILED")
Act = Callable[[Play, int], None]
COMMON: tuple[Act, ...] = (
    Play.up,
    Play.down,
    Play.start,
    Play.stop,
    Play.tick,
    Play.tick,
    Play.count,
    Play.saved,
    Play.move,
    Play.edit,
    Play.upgrade,
)
RARE: tuple[Act, ...] = (
    *(Play.save, Play.die, Play.rest, Play.lose, Play.hush, Play.vanish, Play.stay_down, Play.calm),
    *(Play.rescale, Play.rescale, Play.take_up, Play.kill, Play.kill),
)
ACTS = st.tuples(st.sampled_from(COMMON * 2 + RARE), st.integers(0, 7))


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(acts=st.lists(ACTS, min_size=15, max_size=50))
def test_reconciliation(kind: Kind, acts: list[tuple[Act, int]]) -> None:
    """Starts, stops, savepoints, deaths of either side, lost answers and silence, in any order, converge."""
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), kind)
        try:
            play.up(1)
            for act, n in acts:
                act(play, n)
                play.check()
            play.settle()
        finally:
            play.world.store.close()


def _asked(play: Play) -> None:
    play.calm()
    play.start(1)


def _called(play: Play) -> None:
    _asked(play)
    play.look(2)


def _running(play: Play) -> None:
    play.up(1)


def _saving(play: Play) -> None:
    play.up(1)
    play.save(1)


def _stopping(play: Play) -> None:
    play.up(1)
    play.stop(5)


def _cancelling(play: Play) -> None:
    play.up(1)
    play.stop(4)


def _moving(play: Play) -> None:
    play.up(1)
    play.rescale(1)


PHASES: tuple[Callable[[Play], None], ...] = (_asked, _called, _running, _saving, _stopping, _cancelling, _moving)
BLOWS: tuple[tuple[tuple[Act, int], ...], ...] = (
    ((Play.die, 0),),
    ((Play.die, 1),),
    ((Play.die, 1), (Play.stop, 5)),
    ((Play.hush, 1),),
    ((Play.vanish, 0),),
    ((Play.stop, 0),),
    ((Play.upgrade, 0), (Play.upgrade, 1)),
    ((Play.saved, 0),),
    ((Play.saved, 1),),
    ((Play.saved, 2), (Play.die, 1)),
    *(((Play.down, 0), (Play.lose, way), (Play.start, 1)) for way in (0, 4)),
    *(((Play.down, 0), (Play.kill, way), (Play.start, 1)) for way in (0, 4)),
    *(((Play.lose, way), (Play.stop, 0)) for way in (1, 5)),
    *(((Play.lose, way), (Play.save, 0), (Play.saved, 2)) for way in (2, 6)),
    *(((Play.kill, way), (Play.save, 0), (Play.stop, 1)) for way in (0, 2, 4, 6)),
)
"""What befalls a job in each phase, to be followed by peace."""


@pytest.mark.parametrize("phase", PHASES)
def test_every_blow_in_every_phase(phase: Callable[[Play], None], kind: Kind) -> None:
    """Whatever the model may do is done in each phase of a run, and the run after it goes on from where it was."""
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), kind)
        try:
            for blow in BLOWS:
                phase(play)
                for act, n in blow:
                    act(play, n)
                    play.check()
                play.look(2)
                play.check()
                play.settle(4)
                play.down(0)
        finally:
            play.world.store.close()
