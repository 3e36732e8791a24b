"""Whether jobs that were just started are well: running, checkpointing, and not started again by Flink."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from flinkform.cli import named, status
from flinkform.cli.progress import Step, counted
from flinkform.cli.project import Project
from flinkform.client.api import Client
from flinkform.errors import FlinkformError, JobFailed

_PAUSE = 1.0
_WELL = ("RUNNING", "FINISHED")
ADVICE = "what was applied stays as it is; apply the release again, mend the job, or go back with `flinkform rollback`"


def watch(
    here: Project,
    names: Collection[str],
    seconds: float,
    step: Step,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return once the jobs called *names*, as namespace/name, were well for *seconds*.

    JobFailed: one was not. One that shall not run is well. At the end each that runs has a checkpoint of its own,
    where it makes any. Jobs of other environments at the same control plane are not looked at.
    """
    began, failures, client = clock(), dict[str, int](), named.client(here)
    ours = status.ours(here)  # other environments may have jobs of the same names
    step.say(f"watching {counted(len(names), 'job')} for {seconds:g} s")
    while True:
        every = (job for job in status.read(here)["jobs"] if f"{job['namespace']}/{job['name']}" in names)
        jobs = [job for job in every if not ours or job["deployment_id"] in ours]
        for job in jobs:
            _check(client, job, failures)
        if clock() - began >= seconds:
            break
        sleep(_PAUSE)
    for job in jobs:
        if (
            seconds
            and job["state"] == "RUNNING"
            and _asked(client, job, "checkpoints/config")
            and not _checkpoints(client, job)
        ):
            raise _unwell(job, f"has completed no checkpoint in {seconds:g} s")


def _check(client: Client, job: Mapping[str, Any], failures: dict[str, int]) -> None:
    """Raise JobFailed where a job is not as it should be, or was started again since it was first looked at."""
    if job["desired"] != "running":
        return
    if job["state"] not in _WELL or job.get("trouble"):
        raise _unwell(job, f"is {job['state']}: {job.get('trouble') or 'no reason is known'}")
    if job["state"] == "RUNNING":
        last = _failed(client, job)
        if last > failures.setdefault(str(job["job_id"]), last):
            raise _unwell(job, "was started again by Flink after a failure")


def _failed(client: Client, job: Mapping[str, Any]) -> int:
    """Return when a job failed last, 0 for never; a rescale is a restart to Flink too, but no failure."""
    found = _asked(client, job, "exceptions?maxExceptions=1")
    entries = (found.get("exceptionHistory") or {}).get("entries") or () if isinstance(found, dict) else ()
    return max((int(one.get("timestamp") or 0) for one in entries), default=0)


def _checkpoints(client: Client, job: Mapping[str, Any]) -> int:
    found = _asked(client, job, "checkpoints")
    counts = found.get("counts", {}) if isinstance(found, dict) else {}
    return int(counts.get("completed", 0)) + int(counts.get("restored", 0))


def _asked(client: Client, job: Mapping[str, Any], path: str) -> Any:
    """Return what Flink's REST says of a job, `None` where it says nothing."""
    place = {**named.scope(dict(job)), "resourceType": "jobs", "resourceId": str(job["job_id"])}
    try:
        said = client.call("FlinkApiProxy", {**place, "flinkApiPath": f"/jobs/{job['job_id']}/{path}"})
        return json.loads(said.get("data") or "null")
    except (FlinkformError, ValueError):
        return None


def _unwell(job: Mapping[str, Any], why: str) -> JobFailed:
    return JobFailed(f"{job['namespace']}/{job['name']} {why}", advice=ADVICE)
