"""What one apply does to a job that may be running: stop it as the policy says, and have the next one go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flinkform.errors import Conflict, FlinkformError, Interrupted, TimedOut, Unfit
from flinkform.provider import observe
from flinkform.provider.lists import Document
from flinkform.provider.observe import Phase
from flinkform.provider.runs import LATEST, NOTHING, Restore, Runs
from flinkform.provider.session import Result
from flinkform.provider.upgrade import KEEPING, LOSING, STARTED, keeps, policy
from flinkform.provider.values import Values
from flinkform.provider.waiting import Patience
from flinkform.schema.model import Attribute, Change


@dataclass(frozen=True, slots=True)
class Work:
    """One apply of one job: what is *wanted*, who starts and stops, how long it may take.

    *verdict* is what was said of the state that it carries over, nothing where nobody was asked. *reformed*: only a
    savepoint carries it, as the state backend changes.
    """

    runs: Runs
    patience: Patience
    wanted: Values
    result: Result
    verdict: str = ""
    reformed: bool = False

    @property
    def name(self) -> str:
        return str(self.wanted.get("name"))

    @property
    def policy(self) -> Mapping[str, Any]:
        """The `upgrade` object with its defaults."""
        return policy(self.wanted)

    @property
    def batch(self) -> bool:
        return self.wanted.get("execution_mode") == "BATCH"

    @property
    def keeps(self) -> bool:
        """Whether state is carried from job to job."""
        return keeps(self.wanted)

    def hot(self, job: Document | None, changed: Iterable[Attribute]) -> bool:
        """Say whether *job* can have what *changed* and run on under its id: the dearest change decides.

        Another parallelism is for a job that runs, other log levels for one that fails again and again too.
        """
        hot = [attribute for attribute in changed if attribute.change >= Change.HOT]
        if any(attribute.change > Change.HOT for attribute in hot) or self.wanted.get("state") != "running":
            return False
        if all(attribute.name == "logging" for attribute in hot):
            return bool(hot) and observe.job_phase(job) is Phase.ACTIVE
        runs = job is not None and observe.status(job) == observe.RUNNING and not observe.restarting(job)
        return runs and not self.batch

    def halt(self, job: Document) -> Restore:
        """Stop a job that starts or runs, and return what the next one goes on from."""
        if not self.keeps:
            self.runs.stop(job, self.patience, savepoint=False)
            return NOTHING
        # A job that is only starting has nothing of its own to save.
        if self.policy["mode"] == "latest" or observe.status(job) == observe.STARTING:
            self.runs.stop(job, self.patience, savepoint=False)
            return LATEST
        try:
            savepoint = self.runs.stop(job, self.patience, savepoint=True)
        except (Interrupted, TimedOut):
            raise
        except FlinkformError as error:
            return self._fall_back(error)
        return Restore("FROM_SAVEPOINT", savepoint) if savepoint else LATEST

    def go_on(self, job: Document | None, halted: Restore | None, *, stale: bool) -> None:
        """Have a job that runs: *job* if it still does, else a new one that goes on from what *halted* left.

        A job that is done runs again only if its definition is *stale*.
        """
        phase = observe.job_phase(job)
        if job and halted is None and phase is Phase.ACTIVE:
            self.arrive(str(job["jobId"]))
        elif phase is not Phase.DONE or stale or halted:
            if job and observe.status(job) == observe.CANCELLING:
                self.runs.stop(job, self.patience, savepoint=False)
            self.start(halted or self._resumed(job))

    def start(self, restore: Restore) -> None:
        """Start a job and wait for it. Raises `Unfit` if its state does not fit and has to."""
        empties = self.policy["on_incompatible"] == "restart_empty"
        try:
            self._begin(NOTHING if empties and self.verdict in LOSING else restore)
        except Unfit as unfit:
            if not empties:
                raise
            self.result.warnings.append(f"{self.name} starts with nothing: {unfit.reason}")
            self._begin(NOTHING)

    def resume(self, restore: Restore) -> None:
        """Start a job that is as it was when it left *restore*, and wait for it."""
        self.arrive(self.runs.start(restore, allow_non_restored=False))

    def _begin(self, restore: Restore) -> None:
        drops = self.policy["on_incompatible"] == "drop_partial" and self.verdict not in KEEPING
        allowed = drops or bool(self.wanted.get("allow_non_restored_state"))
        self.arrive(self.runs.start(restore, allow_non_restored=allowed))

    def arrive(self, job_id: str) -> None:
        """Wait for a job. Told to stop, leave it: what was applied is true, and the next read says how it went."""
        try:
            self.runs.arrive(job_id, self.patience)
        except Interrupted as stopped:
            self.result.warnings.append(f"{stopped}; the next plan shows how it went")
        except TimedOut as late:
            self.result.private[STARTED] = True  # it may have run: there may be state to lose
            raise TimedOut(late.message, at=("timeouts",), advice="allow more time, or look at the job's log") from late
        self.result.private[STARTED] = True

    def end(self) -> None:
        """Stop whatever runs, for good: with a savepoint unless told otherwise."""
        job = self.runs.newest()
        status = observe.status(job)
        if job is None or status in observe.TERMINAL:
            return
        saved = self.wanted.get("savepoint_on_destroy") is not False and not self.batch and status != observe.STARTING
        try:
            self.runs.stop(job, self.patience, savepoint=saved)
        except (Interrupted, TimedOut):
            raise
        except FlinkformError as error:
            if not saved:
                raise
            if self.policy["fallback"] and self._failing():
                return
            raise Conflict(
                f"{self.name} was not destroyed: {error}",
                at=("savepoint_on_destroy",),
                advice="apply savepoint_on_destroy = false first to destroy it without a savepoint",
            ) from error

    def _failing(self) -> bool:
        """Stop a job that Flink starts again and again: no savepoint of it can be taken, its checkpoints stay."""
        job = self.runs.newest()
        if job is None or observe.status(job) in observe.TERMINAL:
            return True
        if not observe.restarting(job):
            return False
        self.runs.stop(job, self.patience, savepoint=False)
        self.result.warnings.append(f"{self.name} left no savepoint, as it failed over and over; its checkpoints stay")
        return True

    @property
    def origin(self) -> Restore:
        """What a first job starts from."""
        given = self.wanted.get("restore_from")
        return Restore("FROM_SAVEPOINT", str(given)) if given else NOTHING

    def _resumed(self, job: Document | None) -> Restore:
        """Return what a job goes on from that nothing was stopped for; *job* is the one before it."""
        if job is None or (self.origin.savepoint and self.unborn(job)):
            return self.origin
        return LATEST if self.keeps else NOTHING

    def unborn(self, job: Document | None) -> bool:
        """Say whether the job, whose newest run is *job*, never ran: it has no state of its own yet."""
        return job is None or self.result.private.get(STARTED) is False

    def _fall_back(self, error: FlinkformError) -> Restore:
        """Go on from the newest checkpoint where no savepoint could be taken, if the policy allows that."""
        if not self.policy["fallback"]:
            raise Conflict(
                f"{self.name} was not upgraded: {error}",
                at=("upgrade", "fallback"),
                advice="set upgrade.fallback = true to go on from the newest checkpoint, or try again",
            ) from error
        if self.reformed:
            raise Conflict(
                f"{self.name} was not upgraded: {error}",
                at=("flink_options",),
                advice="its checkpoints are for the state backend that it has: try again, or keep that",
            ) from error
        self.result.warnings.append(f"{self.name} goes on from its newest checkpoint: {error}")
        job = self.runs.newest()
        if job and observe.status(job) not in observe.TERMINAL:
            self.runs.stop(job, self.patience, savepoint=False)
        return LATEST
