"""Whatever happens, in whatever order: never two jobs of one deployment, no state lost, and every run converges."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from flinkform.controlplane.store import runs, savepoints
from flinkform.controlplane.store.runs import Run
from flinkform.errors import Conflict, Unavailable
from flinkform.flink import checkpoints
from flinkform.flink.values import Phase, Submission
from tests.unit.controlplane.reconcile.conftest import NS, WS, World, made
from tests.unit.controlplane.reconcile.fake import FakeRuntime

NAMES = st.sampled_from(["one", "two"])
MOVES = {
    Phase.STARTING: (Phase.RUNNING, Phase.FAILED, Phase.RESTARTING),
    Phase.RUNNING: (Phase.RESTARTING, Phase.FAILED, Phase.FINISHED, Phase.STARTING),
    Phase.RESTARTING: (Phase.RUNNING, Phase.FAILED),
    Phase.STOPPING: (Phase.CANCELED,),
}
"""What a job may do by itself."""


class Counting(FakeRuntime):
    """A Flink whose jobs count; a checkpoint keeps the count, and a job that begins from it goes on from there."""

    def __post_init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.kept: dict[str, int] = {}
        """By place: what a checkpoint or savepoint holds."""
        self.durable: dict[str, int] = {}
        """By job: the highest count that it ever made durable itself."""

    def submit(self, job: Submission) -> None:
        before = set(self.jobs)
        try:
            super().submit(job)
        finally:
            if job.id in set(self.jobs) - before:
                self.counts[job.id] = self.kept[job.restore] if job.restore else 0
                assert self.counts[job.id] >= self.durable.get(job.id, 0), "went on from an older state"

    def keep(self, place: str | None, job_id: str) -> None:
        if place:
            self.kept[place] = self.counts[job_id]
            self.durable[job_id] = max(self.durable.get(job_id, 0), self.counts[job_id])


class Reconciliation(RuleBasedStateMachine):
    """One control plane, one Flink, and a world that does to them what it likes."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.flink = Counting()
        self.world: World = made(Path(self.folder.name), self.flink)
        self.ended: dict[str, str] = {}

    @initialize()
    def deploy(self) -> None:
        self.deployments = {name: self.world.deployment(name) for name in ("one", "two")}

    @rule(name=NAMES, kind=st.sampled_from(["NONE", "LATEST_STATE", "LATEST_SAVEPOINT"]))
    def start(self, name: str, kind: str) -> None:
        try:
            self.world.ask_start(self.deployments[name], kind)
        except Conflict:
            assert self.live(name)

    @rule(name=NAMES, strategy=st.sampled_from(["NONE", "STOP_WITH_SAVEPOINT", "STOP_WITH_DRAIN"]))
    def stop(self, name: str, strategy: str) -> None:
        for run in self.live(name):
            self.world.ask_stop(run, strategy)

    @rule(name=NAMES)
    def save(self, name: str) -> None:
        for run in self.live(name):
            if run.state == "RUNNING":
                self.world.ask_savepoint(run)

    @rule(times=st.integers(1, 4), later=st.sampled_from([1, 250, 4000]))
    def tick(self, times: int, later: int) -> None:
        self.world.tick(times, later=later)

    @rule(data=st.data())
    @precondition(lambda self: self.flink.jobs)
    def job_moves(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.flink.jobs)))
        phases = MOVES.get(self.flink.jobs[job_id].seen.state, ())
        if phases:
            self.flink.see(job_id, data.draw(st.sampled_from(phases)))

    @rule(data=st.data(), steps=st.integers(1, 5), checkpoint=st.booleans())
    @precondition(lambda self: self.flink.jobs)
    def job_counts(self, data: st.DataObject, steps: int, *, checkpoint: bool) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.flink.jobs)))
        if self.flink.jobs[job_id].seen.state is Phase.RUNNING:
            self.flink.counts[job_id] += steps
            if checkpoint:
                self.flink.keep(self.flink.checkpoint(job_id), job_id)

    @rule(data=st.data(), error=st.sampled_from([None, "no space left"]))
    @precondition(lambda self: self.flink.savepoints)
    def savepoint_ends(self, data: st.DataObject, error: str | None) -> None:
        self.end_savepoint(data.draw(st.sampled_from(sorted(self.flink.savepoints))), error)

    @rule()
    def jvm_dies(self) -> None:
        self.flink.crash()

    @rule()
    def controlplane_dies(self) -> None:
        self.world.restart_controlplane()

    @rule(lost=st.sets(st.sampled_from(["submit", "cancel", "savepoint"])))
    def answers_are_lost(self, lost: set[str]) -> None:
        self.flink.lost = lost

    @rule(silent=st.booleans())
    def flink_is_silent(self, *, silent: bool) -> None:
        self.flink.observe_error = Unavailable("timed out") if silent else None

    @rule(broken=st.booleans())
    def flink_does_not_start(self, *, broken: bool) -> None:
        self.flink.start_error = Unavailable("no") if broken else None

    @invariant()
    def one_job_a_deployment(self) -> None:
        """Flink never runs two jobs of one deployment."""
        names = [job.submission.name for job in self.flink.jobs.values() if not job.seen.state.final]
        assert len(names) == len(set(names))

    @invariant()
    def the_end_is_the_end(self) -> None:
        """A run that ended never says anything else again."""
        for run in self.every_run():
            if not run.live:
                assert self.ended.setdefault(run.id, run.state) == run.state
            else:
                assert run.id not in self.ended

    @invariant()
    def completed_savepoints_are_there(self) -> None:
        """What is told as COMPLETED can be started from."""
        with self.world.store.read() as db:
            found = savepoints.page(db, WS, NS, limit=1000).items
        assert all(checkpoints.exists(one.location or "") for one in found if one.state == "COMPLETED")

    def teardown(self) -> None:
        """Let the world be kind: everything reaches what was asked for."""
        self.flink.lost, self.flink.observe_error, self.flink.start_error = set(), None, None
        for _ in range(60):
            self.world.tick(later=8000)
            self.be_kind()
        self.world.tick(later=8000)
        for run in self.every_run():
            if run.live:
                assert (run.intent, run.state, run.step) == ("RUN", "RUNNING", "CALLED"), run
                assert self.flink.jobs[run.job_id].seen.state is Phase.RUNNING
            elif run.job_id in self.flink.jobs:
                assert self.flink.jobs[run.job_id].seen.state.final
        with self.world.store.read() as db:
            assert savepoints.under_way(db) == []
        self.world.store.close()
        self.folder.cleanup()

    def be_kind(self) -> None:
        for trigger in [name for name in self.flink.savepoints if name not in self.flink.outcomes]:
            self.end_savepoint(trigger, None)
        for job_id, job in self.flink.jobs.items():
            if job.seen.state in (Phase.STARTING, Phase.RESTARTING):
                self.flink.see(job_id, Phase.RUNNING)
            elif job.seen.state is Phase.STOPPING:
                self.flink.see(job_id, Phase.CANCELED)

    def end_savepoint(self, trigger: str, error: str | None) -> None:
        """A savepoint of a job that is not running fails, as Flink's do; one that ended stays as it is."""
        job_id = self.flink.savepoints[trigger][0]
        job = self.flink.jobs.get(job_id)
        if trigger in self.flink.outcomes:
            return
        if job is None or job.seen.state is not Phase.RUNNING:
            error = "the job is not running"
        self.flink.keep(self.flink.finish_savepoint(trigger, error=error), job_id)

    def live(self, name: str) -> list[Run]:
        with self.world.store.read() as db:
            return runs.live_of(db, self.deployments[name].id)

    def every_run(self) -> list[Run]:
        found: list[Any] = []
        with self.world.store.read() as db:
            for deployment in self.deployments.values():
                found += runs.page(db, deployment.id, limit=1000).items
        return found


def test_reconciliation() -> None:
    """Starts, stops, savepoints, deaths of either side, lost answers and silence, in any order, converge."""
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Reconciliation, settings=settings(max_examples=25, stateful_step_count=40, deadline=None)
    )
