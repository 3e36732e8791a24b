"""`flinkform runs JOB`: what a job ran, when, from which state to which, and how each run ended."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any
from urllib.parse import quote

from flinkform.cli import api, named, project
from flinkform.cli.progress import table
from flinkform.errors import NotFound

_COLUMNS = ("run", "state", "started", "ended", "sql", "commit", "began_from", "left")
_HASH = 12
"""Digits of a hash that are shown: as many as Git shows of a commit in a large repository."""


def run(options: argparse.Namespace) -> int:
    """Print the runs; 0 however they ended."""
    here = project.find()
    job = named.find(here, options.job)
    place = f"/flinkform/v1/jobs/{quote(job['deployment_id'])}/runs"
    if options.sql is not None:
        runs = api.call(here, "GET", f"{place}?limit=1000")["runs"]
        script = _script(named.client(here), job, runs, options.sql)
        # To the byte: what is kept is the file as it was.
        sys.stdout.write(json.dumps({"run": options.sql, "sql": script}) + "\n" if options.json else script)
        return 0
    found = api.call(here, "GET", f"{place}?limit={options.limit}")
    print(json.dumps(found) if options.json else text(found))
    return 0


def text(found: dict[str, Any]) -> str:
    """Return runs as a table, and why those that failed did."""
    rows = table([_row(one) for one in found["runs"]], _COLUMNS)
    failed = [f"run {one['number']}: {one['failure']['reason']}" for one in found["runs"] if one["failure"]]
    hidden = found["total"] - len(found["runs"])
    more = [f"{hidden} older; --limit shows more"] if hidden > 0 else []
    return "\n\n".join([rows, *failed, *more])


def _row(one: dict[str, Any]) -> dict[str, str]:
    began, left = one["began_from"], one["left"] or {}
    return {
        "run": str(one["number"]),
        "state": one["state"],
        "started": named.when(one["started_at"]),
        "ended": named.when(one["ended_at"]),
        "sql": one["sql_sha256"][:_HASH],
        "commit": (one["commit"] or "")[:_HASH],
        "began_from": began["savepoint"] or began["place"] or "",
        "left": left.get("savepoint", ""),
    }


def _script(client: Any, job: dict[str, Any], runs: list[dict[str, Any]], number: int) -> str:
    wanted = next((one["job_id"] for one in runs if one["number"] == number), None)
    if wanted is None:
        numbers = ", ".join(str(one["number"]) for one in runs[:10])
        raise NotFound(f"{job['name']} has no run {number}", advice=f"the newest are {numbers}")
    found = client.call("GetJob", {**named.scope(job), "jobId": wanted})["data"]
    return str(((found.get("artifact") or {}).get("sqlArtifact") or {}).get("sqlScript") or "")
