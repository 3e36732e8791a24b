"""`flinkform savepoint list|create|delete JOB`: the savepoints of a job."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from flinkform.cli import named, project
from flinkform.cli.progress import Progress, table
from flinkform.errors import JobFailed, NotFound, TimedOut

_COLUMNS = ("savepoint", "state", "origin", "created", "location", "description")
_POLL = 0.5


def run(options: argparse.Namespace) -> int:
    """Do it, and print what became of it."""
    here = project.find()
    found, text = options.act(options, named.find(here, options.job), named.client(here))
    print(json.dumps(found) if options.json else text)
    return 0


def _list(_: argparse.Namespace, job: dict[str, Any], client: Any) -> tuple[Any, str]:
    found = list(client.pages("ListSavepoints", {**named.scope(job), "deploymentId": job["deployment_id"]}, size=100))
    rows = table([_row(one) for one in found], _COLUMNS) if found else f"{job['name']} has no savepoints"
    return {"savepoints": found}, rows


def _create(options: argparse.Namespace, job: dict[str, Any], client: Any) -> tuple[Any, str]:
    body = {"deploymentId": job["deployment_id"], "description": options.description, "nativeFormat": options.native}
    made = client.call("CreateSavepoint", named.scope(job), body)["data"]
    with Progress().step(f"savepoint {made['savepointId']}") as step:
        done = awaited(client, {**named.scope(job), "savepointId": made["savepointId"]}, seconds=options.timeout)
        step.result = done["savepointLocation"]
    return done, done["savepointId"]


def _delete(options: argparse.Namespace, job: dict[str, Any], client: Any) -> tuple[Any, str]:
    place = {**named.scope(job), "savepointId": options.savepoint}
    try:
        owner = client.call("GetSavepoint", place)["data"]["deploymentId"]
    except NotFound:
        owner = ""
    if owner != job["deployment_id"]:
        raise NotFound(f"{job['name']} has no savepoint {options.savepoint}", advice="list its savepoints")
    client.call("DeleteSavepoint", place)
    return {"deleted": options.savepoint}, f"savepoint {options.savepoint} is deleted"


def awaited(
    client: Any, place: dict[str, str], *, seconds: float, clock: Callable[[], float] = time.monotonic
) -> dict[str, Any]:
    """Return a savepoint once it is completed. JobFailed: it failed, and why; TimedOut: it goes on."""
    deadline = clock() + seconds
    while True:
        found: dict[str, Any] = client.call("GetSavepoint", place)["data"]
        state = found["status"]["state"]
        if state == "COMPLETED":
            return found
        if state == "FAILED":
            why = (found["status"].get("failure") or {}).get("reason") or "no reason was given"
            raise JobFailed(f"savepoint {place['savepointId']} failed: {why}")
        if clock() >= deadline:
            raise TimedOut(f"savepoint {place['savepointId']} is not done after {seconds:g} s", advice="it goes on")
        time.sleep(_POLL)


def _row(one: dict[str, Any]) -> dict[str, str]:
    return {
        "savepoint": one["savepointId"],
        "state": one["status"]["state"],
        "origin": one.get("savepointOrigin") or "",
        "created": named.when(int(one["createdAt"]) * 1000),
        "location": one.get("savepointLocation") or "",
        "description": one.get("description") or "",
    }
