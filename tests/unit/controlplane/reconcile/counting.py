"""A Flink whose jobs count, which remembers whatever it was asked that must never be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from flinkform.errors import FlinkformError, TimedOut, Unplanned
from flinkform.flink.plan import Plan
from flinkform.flink.values import Phase, Submission
from tests.unit.controlplane.reconcile.conftest import PLANS
from tests.unit.controlplane.reconcile.fake import FakeRuntime

SCRIPTS = ("aggregate", "alias", "filter", "join", "max", "expiry", "odd")
"""What the deployment may say; the last one has no plan."""
_PLANS: dict[str, Plan | FlinkformError] = {
    **{name: Plan.load((PLANS / f"{name}.json").read_text()) for name in SCRIPTS[:-1]},
    SCRIPTS[-1]: Unplanned("nobody knows"),
}


def operators(plan: str | None) -> dict[int, str]:
    """What each operator of a plan that keeps state computes, names and inputs aside.

    When state expires is no part of it: Flink 2.3 turns what it finds into the other form.
    """
    found = json.loads(plan)["nodes"] if plan else ()
    return {
        node["id"]: json.dumps(
            [
                node["type"],
                sorted((c["internalName"], c["argList"]) for c in node.get("aggCalls", ())),
                [state["name"] for state in node.get("state", ())],
            ]
        )
        for node in found
        if any(word in node["type"] for word in ("aggregate", "join", "source"))
    }


class Killed(BaseException):
    """The control plane is killed in the middle of a call; nothing in it may catch this."""


@dataclass
class Counting(FakeRuntime):
    """A checkpoint keeps a job's count, and a job that begins from it goes on from there."""

    counts: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    """By place: what a checkpoint or savepoint holds."""
    handed: dict[str, str | None] = field(default_factory=dict)
    """By job: the plan it was handed over with."""
    written: dict[str, str | None] = field(default_factory=dict)
    """By place: the plan whose state it holds."""
    used: dict[int, str] = field(default_factory=dict)
    """By operator's id: what it stood for, in any run."""
    durable: dict[str, int] = field(default_factory=dict)
    """By job: the highest count that it ever made durable itself."""
    done: set[str] = field(default_factory=set)
    """The savepoints that Flink completed, by id."""
    answered: set[tuple[str, ...]] = field(default_factory=set)
    """What was done and answered, in this life or for ever: it is not to be asked again."""
    killing: str = ""
    """The call in which the control plane is killed: `before` or `after` it reached Flink, like `submit after`."""
    least: Callable[[str], int] = lambda _: 0
    """The count that a job has to begin with at least, by its id."""
    wrongs: list[str] = field(default_factory=list)
    """What must never be; the reconciler would swallow an exception."""

    def __post_init__(self) -> None:
        self.plans |= _PLANS

    def submit(self, job: Submission) -> None:
        before = set(self.jobs)
        self._once("submit", job.id)
        try:
            super().submit(job)
        finally:
            if job.id in set(self.jobs) - before:
                self._begun(job)
        self._heard("submit", job.id)

    def cancel(self, job_id: str) -> None:
        self._once("cancel", job_id)
        super().cancel(job_id)
        self._heard("cancel", job_id)

    def savepoint(self, job_id: str, directory: str, *, stop: bool, drain: bool = False, native: bool = False) -> str:
        self._once("savepoint", directory)
        trigger = super().savepoint(job_id, directory, stop=stop, drain=drain, native=native)
        self._heard("savepoint", directory)
        return trigger

    def crash(self) -> None:
        super().crash()
        # A savepoint is asked for once in all, the others once in each life of the JVM.
        self.answered = {call for call in self.answered if call[0] == "savepoint"}

    def vanish(self) -> None:
        """Let every job be gone, though Flink runs on."""
        self.jobs.clear()
        self.answered = {call for call in self.answered if call[0] == "savepoint"}

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

    def keep(self, place: str | None, job_id: str, *, firm: bool = True) -> None:
        """Note what a place holds; what is not *firm* was written, but Flink says that it failed."""
        if place:
            self.kept[place] = self.counts[job_id]
            self.written[place] = self.jobs[job_id].submission.plan
            if firm:
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
        self.keep(self.finish_savepoint(trigger, error=error, written=error == "late"), job_id, firm=not error)
        if not error:
            self.done.add(Path(self.savepoints[trigger][1]).name)

    def _begun(self, job: Submission) -> None:
        self.counts[job.id] = self.kept[job.restore] if job.restore else 0
        self.understand(job)
        if self.counts[job.id] < max(self.durable.get(job.id, 0), self.least(job.id)):
            self.wrongs.append("a job went on from an older state than the newest")
        if len([one for one in self.jobs.values() if not one.seen.state.final]) > 1:
            self.wrongs.append("Flink runs two jobs of one deployment")

    def _once(self, *call: str) -> None:
        if call in self.answered:
            self.wrongs.append(f"asked again what was answered: {call[0]}")
        if self.killing == f"{call[0]} before":
            self._kill()

    def _heard(self, *call: str) -> None:
        self.answered.add(call)

    def _answer(self, name: str) -> None:
        if self.killing == f"{name} after":
            self._kill()
        if f"{name} late" in self.lost:
            raise TimedOut("Flink did not answer within 60 s")
        super()._answer(name)

    def _kill(self) -> None:
        self.killing = ""
        raise Killed
