"""Whatever happens, in whatever order: never two jobs of one deployment, no state lost, and every run converges."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flinkform.controlplane.store import events, rescales, runs, savepoints
from flinkform.controlplane.store.runs import Run
from flinkform.controlplane.store.savepoints import Savepoint
from flinkform.errors import Conflict, Unavailable, Unplanned
from flinkform.flink import checkpoints
from flinkform.flink.plan import Plan
from flinkform.flink.values import Phase, Submission
from tests.unit.controlplane.reconcile.conftest import NS, PLANS, WS, artifact, made
from tests.unit.controlplane.reconcile.fake import FakeRuntime

MOVES = {
    Phase.STARTING: (Phase.RUNNING, Phase.RUNNING, Phase.FAILED, Phase.RESTARTING),
    Phase.RUNNING: (Phase.RESTARTING, Phase.FAILED, Phase.FINISHED, Phase.STARTING),
    Phase.RESTARTING: (Phase.RUNNING, Phase.RUNNING, Phase.FAILED),
    Phase.STOPPING: (Phase.CANCELED,),
}
"""What a job may do by itself."""


SCRIPTS = ("aggregate", "alias", "filter", "join", "max", "expiry", "odd")
"""What the deployment may say; the last one has no plan."""


def operators(plan: str | None) -> dict[int, str]:
    """What each operator of a plan that keeps state computes, names and inputs aside."""
    found = json.loads(plan)["nodes"] if plan else ()
    return {
        node["id"]: json.dumps(
            [
                node["type"],
                sorted((c["internalName"], c["argList"]) for c in node.get("aggCalls", ())),
                node.get("state"),
            ]
        )
        for node in found
        if any(word in node["type"] for word in ("aggregate", "join", "source"))
    }


class Counting(FakeRuntime):
    """A Flink whose jobs count; a checkpoint keeps the count, and a job that begins from it goes on from there."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.kept: dict[str, int] = {}
        """By place: what a checkpoint or savepoint holds."""
        self.plans |= {name: Plan.load((PLANS / f"{name}.json").read_text()) for name in SCRIPTS[:-1]}
        self.plans[SCRIPTS[-1]] = Unplanned("nobody knows")
        self.handed: dict[str, str | None] = {}
        """By job: the plan it was handed over with."""
        self.written: dict[str, str | None] = {}
        """By place: the plan whose state it holds."""
        self.used: dict[int, str] = {}
        """By id: what it stood for, in any run."""
        self.durable: dict[str, int] = {}
        """By job: the highest count that it ever made durable itself."""
        self.done: set[str] = set()
        """The savepoints that Flink completed, by id."""
        self.wrongs: list[str] = []
        """What was asked that must never be; the reconciler would swallow an exception."""

    def submit(self, job: Submission) -> None:
        before = set(self.jobs)
        try:
            super().submit(job)
        finally:
            if job.id in set(self.jobs) - before:
                self.counts[job.id] = self.kept[job.restore] if job.restore else 0
                self.understand(job)
                if self.counts[job.id] < self.durable.get(job.id, 0):
                    self.wrongs.append("a job went on from an older state than its newest")
            if len([one for one in self.jobs.values() if not one.seen.state.final]) > 1:
                self.wrongs.append("Flink runs two jobs of one deployment")

    def understand(self, job: Submission) -> None:
        """Take a plan as Flink does: state is known by the id of its operator, and nothing but the id."""
        if self.handed.setdefault(job.id, job.plan) != job.plan:
            self.wrongs.append("a job went on under another plan than its own")
        now = operators(job.plan)
        for number, computes in now.items():
            if self.used.setdefault(number, computes) != computes:
                self.wrongs.append(f"id {number} was used for something else")
        lost = operators(self.written.get(job.restore or "")).keys() - now.keys()
        if lost and not job.allow_non_restored:
            self.wrongs.append("Flink refuses state that nothing takes over")
        if job.allow_non_restored and job.plan and not lost:
            self.wrongs.append("Flink was allowed to drop state although nothing needs that")

    def keep(self, place: str | None, job_id: str) -> None:
        if place:
            self.kept[place] = self.counts[job_id]
            self.written[place] = self.jobs[job_id].submission.plan
            self.durable[job_id] = max(self.durable.get(job_id, 0), self.counts[job_id])

    def taking(self) -> list[str]:
        """The savepoints under way."""
        return [name for name in self.savepoints if name not in self.outcomes]

    def end(self, trigger: str, error: str | None) -> None:
        """Let a savepoint end; one of a job that does not run fails, as Flink's do."""
        job_id = self.savepoints[trigger][0]
        if job_id not in self.jobs or self.jobs[job_id].seen.state is not Phase.RUNNING:
            self.finish_savepoint(trigger, error="the job is not running")
            return
        self.keep(self.finish_savepoint(trigger, error=error, written=error == "late"), job_id)
        if not error:
            self.done.add(Path(self.savepoints[trigger][1]).name)


class Play:
    """One deployment, one control plane, one Flink, and what may befall them; *n* picks one of several ways."""

    def __init__(self, folder: Path) -> None:
        self.flink = Counting()
        self.world = made(folder, self.flink)
        self.deployment = self.world.deployment(artifact=artifact(SCRIPTS[0]))
        self.ended: dict[str, str] = {}
        self.waited_for: set[str] = set()
        """The savepoints that were not given up when one of Flink's ended."""

    def start(self, n: int) -> None:
        kind = ("NONE", "LATEST_STATE", "LATEST_STATE", "LATEST_SAVEPOINT")[n % 4]
        try:
            self.world.ask_start(self.deployment, kind, allowNonRestoredState=n > 3)
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
        self.world.tick(n // 4)

    def save(self, n: int) -> None:
        for run in self.live():
            if run.state == "RUNNING":
                self.world.ask_savepoint(run)
        self.world.tick(n % 2)

    def rescale(self, n: int) -> None:
        for run in self.live():
            with suppress(Conflict):
                self.world.ask_rescale(run, 1 + n % 3)
        self.world.tick(n % 2)

    def take_up(self, n: int) -> None:
        for job_id in self.flink.wanted.keys() & self.flink.jobs.keys():
            self.flink.take_up(job_id)
        self.world.tick(n % 2)

    def tick(self, n: int) -> None:
        self.world.tick(1 + n % 3, later=(1, 250, 4000)[n // 3])

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
        self.world.tick(n // 2, later=4000)

    def rest(self, n: int) -> None:
        """The control plane ends as it should; its jobs' savepoints come in time, late, or not at all."""

        def pause() -> None:
            self.world.clock.now += 2000
            for trigger in self.flink.taking()[: n % 3]:
                self.flink.end(trigger, None)

        self.world.end_controlplane(pause)
        self.world.tick(n // 2, later=4000)

    def lose(self, n: int) -> None:
        self.flink.lost = {("submit", "cancel", "savepoint", "rescale")[n % 4]}

    def hush(self, n: int) -> None:
        self.flink.observe_error = Unavailable("timed out") if n % 2 else None

    def vanish(self, n: int) -> None:
        self.flink.jobs.clear()
        self.world.tick(n)

    def stay_down(self, n: int) -> None:
        self.flink.start_error = Unavailable("no") if n % 2 else None

    def calm(self, _n: int = 0) -> None:
        self.flink.lost, self.flink.observe_error, self.flink.start_error = set(), None, None

    def check(self) -> None:
        """What holds at any time."""
        assert self.flink.wrongs == []
        with self.world.store.read() as db:
            told = events.page(db, WS, NS, limit=1000).items
            taken = savepoints.page(db, WS, NS, limit=1000).items
        assert [one.message for one in told if one.name == "RECONCILE_FAILED"] == []
        assert all(checkpoints.exists(one.location or "") for one in taken if one.state == "COMPLETED")
        saved = {one.run_id for one in taken if one.stop and one.state == "COMPLETED"}
        for run in self.every_run():
            if run.live:
                assert run.id not in self.ended
            else:
                self.check_end(run, saved)

    def check_end(self, run: Run, saved: set[str]) -> None:
        """The end is the end, of the job in Flink too; a stop with a savepoint has one."""
        assert self.ended.setdefault(run.id, run.state) == run.state
        if run.job_id in self.flink.jobs:
            assert self.flink.jobs[run.job_id].seen.state.final
        if run.state == "CANCELLED" and run.strategy != "NONE" and run.home:
            assert run.id in saved

    def settle(self) -> None:
        """Let the world be kind: everything reaches what was asked for."""
        self.calm()
        self.kindly(12)
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
        with self.world.store.read() as db:
            taken = savepoints.page(db, WS, NS, limit=1000).items
        assert self.flink.done & self.waited_for <= {one.id for one in taken if one.state == "COMPLETED"}

    def kindly(self, times: int) -> None:
        """Flink does what it was asked for, and the reconciler sees it."""
        for _ in range(times):
            self.world.tick(later=40_000)
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
        self.world.tick()

    def started(self) -> list[Savepoint]:
        with self.world.store.read() as db:
            return savepoints.under_way(db)

    def live(self) -> list[Run]:
        with self.world.store.read() as db:
            return runs.live_of(db, self.deployment.id)

    def every_run(self) -> list[Run]:
        with self.world.store.read() as db:
            return runs.page(db, self.deployment.id, limit=1000).items


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
)
RARE: tuple[Act, ...] = (
    *(Play.save, Play.die, Play.rest, Play.lose, Play.hush, Play.vanish, Play.stay_down, Play.calm),
    *(Play.rescale, Play.rescale, Play.take_up),
)
ACTS = st.tuples(st.sampled_from(COMMON * 2 + RARE), st.integers(0, 7))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(acts=st.lists(ACTS, min_size=15, max_size=50))
def test_reconciliation(acts: list[tuple[Act, int]]) -> None:
    """Starts, stops, savepoints, deaths of either side, lost answers and silence, in any order, converge."""
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder))
        try:
            play.up(1)
            for act, n in acts:
                act(play, n)
                play.check()
            play.settle()
        finally:
            play.world.store.close()
