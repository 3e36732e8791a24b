"""The runs of one deployment: start one, wait for it, stop it, and find what it left to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from flinkform.errors import FlinkformError, JobFailed
from flinkform.provider import failure, observe
from flinkform.provider.lists import Document
from flinkform.provider.session import Session
from flinkform.provider.waiting import Patience

RESTARTS = 30.0
"""Seconds that a job which ran may take to settle, while Flink starts it again and again."""
STARTS = 10.0
"""Seconds for one that never ran: what fails at the very start is seldom over by itself."""
RECENT = 100
"""Jobs and savepoints that are looked at, newest first: one page."""


@dataclass(frozen=True, slots=True)
class Restore:
    """What a start goes on from."""

    kind: str = "NONE"
    savepoint: str = ""

    @property
    def shown(self) -> str:
        return f"savepoint {self.savepoint}" if self.savepoint else self.kind

    def body(self, *, allow_non_restored: bool) -> dict[str, Any]:
        """Return it as a restoreStrategy."""
        if self.kind == "NONE":
            return {"kind": self.kind}
        source = {"savepointId": self.savepoint} if self.savepoint else {}
        return {"kind": self.kind, "allowNonRestoredState": allow_non_restored, **source}


NOTHING = Restore()
LATEST = Restore("LATEST_STATE")


class Runs:
    """The jobs of the deployment at *place*: `workspace`, `namespace` and `deploymentId`; *name* is for messages."""

    __slots__ = ("_deployment", "_name", "_scope", "_session")

    def __init__(self, session: Session, place: Mapping[str, str], name: str) -> None:
        self._session = session
        self._scope = {"workspace": place["workspace"], "namespace": place["namespace"]}
        self._deployment = place["deploymentId"]
        self._name = name

    def newest(self) -> Document | None:
        """Return the job that runs, else the one that ran last."""
        found = self._session.client.pages("ListJobs", {**self._scope, "deploymentId": self._deployment}, size=RECENT)
        return observe.newest(islice(found, RECENT))

    def start(self, restore: Restore, *, allow_non_restored: bool) -> str:
        """Start a job and return its id, without waiting for it."""
        if "/" in restore.savepoint:
            restore = replace(restore, savepoint=self._listed(restore.savepoint))
        body = {
            "deploymentId": self._deployment,
            "restoreStrategy": restore.body(allow_non_restored=allow_non_restored),
        }
        job: Document = self._session.client.call("StartJob", self._scope, body)["data"]
        self._session.say(f"flink_job {self._name}: job {job['jobId']} started from {restore.shown}")
        return str(job["jobId"])

    def arrive(self, job_id: str, patience: Patience) -> None:
        """Wait until a job runs or has finished. Raises `JobFailed`, with diagnosis and log, as soon as it cannot.

        One that runs and starts again and again gets some time to settle, then counts as failed.
        """
        clock, since = self._session.clock, 0.0

        def look() -> bool | None:
            nonlocal since
            job = self._job(job_id)
            status = observe.status(job)
            if observe.restarting(job):
                since = since or clock()
                if clock() - since < (STARTS if status == observe.STARTING else RESTARTS):
                    return None
                raise self._failed(job)
            if status in (observe.FAILED, observe.CANCELLED):
                raise self._failed(job)
            return True if status in (observe.RUNNING, observe.FINISHED) else None

        patience.until(f"job {job_id} of {self._name} to be RUNNING", look)

    def rescale(self, job: Document, patience: Patience) -> None:
        """Let a job that runs take up its deployment's parallelism, under its id, and wait for that.

        Raises `Conflict`, `NotFound` or `Refused` if this job cannot, `JobFailed` if it could not now; either way it
        runs on as it was.
        """
        place = {**self._scope, "jobId": str(job["jobId"])}
        asked: Document = self._session.client.call("HotUpdateJob", place)["data"]
        self._session.say(f"flink_job {self._name}: job {job['jobId']} is updated while it runs")

        def look() -> bool | None:
            found = {**self._scope, "jobHotUpdateId": str(asked["jobHotUpdateId"])}
            about = self._session.client.call("GetHotUpdateJobResult", found)["data"].get("status") or {}
            if why := about.get("failure") or ("FAIL" in str(about.get("status")) and {}):
                reason = why.get("message") or why.get("reason") or "no reason given"
                raise JobFailed(f"{self._name} was not updated: {reason}")
            return True if about.get("status") == "HOT_UPDATED" else None

        patience.until(f"job {job['jobId']} of {self._name} to be updated", look)

    def stop(self, job: Document, patience: Patience, *, savepoint: bool) -> str | None:
        """Stop a job and return the id of the savepoint it left, if one was asked for and the job did not end first.

        Raises `JobFailed` if the savepoint cannot be taken; the job may run on then.
        """
        before = self._savepoints() if savepoint else {}
        job_id = str(job["jobId"])
        if observe.status(job) != observe.CANCELLING:
            strategy = "STOP_WITH_SAVEPOINT" if savepoint else "NONE"
            self._session.client.call("StopJob", {**self._scope, "jobId": job_id}, {"stopStrategy": strategy})
            self._session.say(f"flink_job {self._name}: job {job_id} stops, {strategy}")

        def look() -> str | None:
            status = observe.status(self._job(job_id))
            taken = self._taken(before) if savepoint else ""
            return (taken or "") if status in observe.TERMINAL and taken is not None else None

        return patience.until(f"job {job_id} of {self._name} to stop", look) or None

    def _taken(self, before: Mapping[str, Document]) -> str | None:
        """Return the id of the savepoint that came after *before*, `""` if none did, `None` while it is being taken."""
        fresh = [s for key, s in self._savepoints().items() if key not in before]
        for savepoint in fresh:
            about = savepoint.get("status") or {}
            if about.get("state") == "COMPLETED":
                return str(savepoint["savepointId"])
            if about.get("state") == "FAILED":
                why = (about.get("failure") or {}).get("message") or "no reason given"
                raise JobFailed(f"the savepoint of {self._name} failed: {why}")
        return None if fresh else ""

    def _listed(self, place: str) -> str:
        """Return the id of the savepoint at *place*; the place itself if none is listed, which not every API takes."""
        every = self._session.client.pages("ListSavepoints", self._scope, size=RECENT)
        return next((str(s["savepointId"]) for s in every if s.get("savepointLocation") == place), place)

    def _savepoints(self) -> dict[str, Document]:
        params = {**self._scope, "deploymentId": self._deployment}
        found = islice(self._session.client.pages("ListSavepoints", params, size=RECENT), RECENT)
        return {str(s["savepointId"]): s for s in found}

    def _job(self, job_id: str) -> Document:
        job: Document = self._session.client.call("GetJob", {**self._scope, "jobId": job_id})["data"]
        return job

    def _failed(self, job: Document) -> FlinkformError:
        return failure.explain(self._session.client, {**self._scope, "deploymentId": self._deployment}, job, self._name)
