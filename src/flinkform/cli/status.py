"""`flinkform status`: every job, what it should be, what it is, and where to look."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from flinkform.cli import api, project
from flinkform.cli.progress import table
from flinkform.cli.project import Project

_KEYS = ("namespace", "name", "desired", "state", "deployment_id", "job_id", "target", "url")
_COLUMNS = ("namespace", "name", "desired", "state", "target", "url")


def run(options: argparse.Namespace) -> int:
    """Print the jobs; 0 whatever their states are."""
    found = read(project.find())
    print(json.dumps(told(found)) if options.json else text(found))
    return 0


def read(here: Project) -> dict[str, Any]:
    """Return endpoint and jobs, each with its *trouble*, why it failed or keeps restarting."""
    jobs = sorted(api.call(here, "GET", "/flinkform/v1/status")["jobs"], key=lambda j: (j["namespace"], j["name"]))
    failed = {job["deployment_id"]: job for job in jobs if job["state"] == "FAILED" and job["desired"] == "running"}
    if failed:
        # The API keeps how a run ended, not what was wanted of the job since: that stands in Terraform's states.
        for deployment in _suspended(here) & failed.keys():
            failed[deployment]["desired"] = "suspended"
    return {"endpoint": here.endpoint(), "jobs": jobs}


def ours(here: Project) -> set[str]:
    """Return the deployments of this environment, as far as the control plane keeps its states."""
    return {str(values.get("deployment_id")) for values in _kept(here)}


def _suspended(here: Project) -> set[str]:
    """Return the deployments of the jobs that shall not run, as the states of this environment say."""
    return {str(values.get("deployment_id")) for values in _kept(here) if values.get("state") == "suspended"}


def _kept(here: Project) -> Iterator[dict[str, Any]]:
    """Yield the values of every job in the states of this environment."""
    kept = [one["address"] for one in api.call(here, "GET", "/flinkform/v1/states")["states"] if one["version"]]
    states = (api.call(here, "GET", f"/state/{quote(at)}") for at in kept if at.startswith(f"{here.environment}/"))
    jobs = (r for state in states for r in state.get("resources", ()) if r.get("type") == "flink_job")
    return (instance.get("attributes") or {} for job in jobs for instance in job.get("instances", ()))


def told(found: dict[str, Any]) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {**found, "jobs": [{key: job.get(key, "") for key in _KEYS} for job in found["jobs"]]}


def text(found: dict[str, Any]) -> str:
    """Return the jobs as a table, and what is wrong with any of them."""
    if not found["jobs"]:
        return f"no jobs at {found['endpoint']}"
    wrong = [f"{job['namespace']}/{job['name']}: {job['trouble']}" for job in found["jobs"] if job.get("trouble")]
    somewhere = any(job.get("target") for job in found["jobs"])
    columns = tuple(one for one in _COLUMNS if somewhere or one != "target")
    return "\n\n".join([table(found["jobs"], columns), *wrong])
