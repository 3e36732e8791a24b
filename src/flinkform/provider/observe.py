"""What a deployment's document says of its job. Pure: most of it is in the list, so that reading asks nothing."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from flinkform.provider.lists import Document

STARTING, RUNNING, CANCELLING = "STARTING", "RUNNING", "CANCELLING"
FAILED, CANCELLED, FINISHED = "FAILED", "CANCELLED", "FINISHED"
TERMINAL = (FAILED, CANCELLED, FINISHED)


class Phase(Enum):
    """What the newest job of a deployment does."""

    ACTIVE = "starts or runs"
    FAILED = "ended by a failure"
    DONE = "ended by itself, which is success"
    IDLE = "was stopped, or never ran"


_PHASES = {FAILED: Phase.FAILED, FINISHED: Phase.DONE, CANCELLED: Phase.IDLE, CANCELLING: Phase.IDLE}
_SUMMARY = {"failed": Phase.FAILED, "finished": Phase.DONE, "cancelled": Phase.IDLE}


def phase(document: Document) -> Phase | None:
    """Return the phase that `jobSummary` tells, or `None` if it takes the newest job to know.

    The summary counts every job the deployment ever had: jobs that ended in several ways do not say which came last.
    """
    summary = document.get("jobSummary") or {}
    if summary.get("running") or summary.get("starting"):
        return Phase.ACTIVE
    if summary.get("cancelling"):
        return Phase.IDLE
    ended = {_SUMMARY[word] for word in _SUMMARY if summary.get(word)}
    if not ended:
        return Phase.IDLE
    return ended.pop() if len(ended) == 1 else None


def job_phase(job: Document | None) -> Phase:
    """Return the phase of a deployment whose newest job is *job*."""
    return _PHASES.get(status(job), Phase.ACTIVE) if job else Phase.IDLE


def state(document: Document, found: Phase, kept: Any) -> str:
    """Return the attribute `state`; *kept* is what Terraform keeps of it.

    A job that failed or is done does not run, which is all that a suspended one promises.
    """
    changed = bool(document.get("deploymentHasChanged"))
    if found is Phase.ACTIVE:
        return "outdated" if changed else "running"
    if found is Phase.IDLE or kept == "suspended":
        return "suspended"
    if found is Phase.FAILED:
        return "failed"
    return "outdated" if changed else "running"


def status(job: Document | None) -> str:
    """Return a job's status in the API's words, `""` if there is no job."""
    return str(((job or {}).get("status") or {}).get("currentJobStatus") or "")


def restarting(job: Document) -> bool:
    """Say whether a job that counts as running or starting is being started again by Flink after a failure."""
    about = job.get("status") or {}
    if status(job) == STARTING:
        return bool(about.get("failure"))
    return (about.get("running") or {}).get("observedFlinkJobStatus") == "RESTARTING"


def newest(jobs: Iterable[Document]) -> Document | None:
    """Return the job that is not over, else the one created last."""
    every = list(jobs)
    alive = [job for job in every if status(job) not in TERMINAL]
    return max(alive or every, key=_created, default=None)


def _created(job: Document) -> tuple[int, str]:
    text = str(job.get("createdAt") or "")
    return (int(text), "") if text.isdecimal() else (0, text)
