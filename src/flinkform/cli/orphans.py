"""Jobs that a release made and that no state has: who was killed between the two left them, and another one follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flinkform.cli import named, status
from flinkform.cli.project import Project
from flinkform.client.api import Client
from flinkform.errors import FlinkformError, NotFound, TimedOut
from flinkform.provider.observe import TERMINAL
from flinkform.provider.provenance import RELEASE

_SECONDS = 120.0


def remove(here: Project, before: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """Remove the jobs that the release *before*, which did not come to its end, made and that nobody knows of.

    The release that follows it would find their names taken, or leave them where they are for ever.
    """
    client = named.client(here)
    for job in _made(here, client, before):
        _removed(client, job)
        say(f"{job['namespace']}/{job['name']} is removed: {before['release']} made it, and it is in no state")


def _made(here: Project, client: Client, before: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    made = {str(one["name"]) for one in before.get("jobs", ()) if one.get("action") in ("create", "replace")}
    try:
        every = status.read(here)["jobs"] if made else []
        known = status.ours(here) if made else set()
    except FlinkformError:
        return  # a control plane that keeps no states cannot tell
    for job in every:
        if f"{job['namespace']}/{job['name']}" not in made or job["deployment_id"] in known:
            continue
        told = client.call("GetDeployment", _place(job))["data"]
        if (told.get("labels") or {}).get(RELEASE) == before.get("release"):
            yield job


def _removed(client: Client, job: dict[str, Any]) -> None:
    run = {**named.scope(job), "jobId": str(job["job_id"])}
    if job["job_id"] and not _ended(client, run):
        client.call("StopJob", run, {"stopStrategy": "NONE"})
        until = time.monotonic() + _SECONDS
        while not _ended(client, run):
            if time.monotonic() > until:
                raise TimedOut(f"{job['name']} did not stop in {_SECONDS:g} s", advice="apply the release again")
            time.sleep(0.3)
    client.call("DeleteDeployment", _place(job))


def _ended(client: Client, run: dict[str, str]) -> bool:
    try:
        found = client.call("GetJob", run)["data"]
    except NotFound:
        return True
    return (found.get("status") or {}).get("currentJobStatus") in TERMINAL


def _place(job: dict[str, Any]) -> dict[str, str]:
    return {**named.scope(job), "deploymentId": str(job["deployment_id"])}
