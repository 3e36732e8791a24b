"""`flinkform blame JOB`: which commit, path, content and release runs, who approved it, and whether Git agrees."""

from __future__ import annotations

import argparse
import json
from typing import Any

from flinkform.cli import named, project
from flinkform.cli.project import Project
from flinkform.errors import FlinkformError
from flinkform.provider.provenance import BLOB, COMMIT, PATH, RELEASE, blob
from flinkform.release import ledger
from flinkform.release.git import Repository
from flinkform.release.script import script
from flinkform.release.select import JOBS


def run(options: argparse.Namespace) -> int:
    """Print it; 1 where what runs is not what its labels and Git say."""
    here = project.find()
    found = _found(here, options.job)
    if options.json:
        print(json.dumps(found))
    else:
        wide = max(len(name) for name in found)
        print("\n".join(f"{name.replace('_', ' '):{wide}}  {_text(value)}" for name, value in found.items() if value))
    return 0 if found["agrees"] is not False else 1


def _found(here: Project, wanted: str) -> dict[str, Any]:
    job = named.find(here, wanted)
    client = named.client(here)
    told = client.call("GetDeployment", {**named.scope(job), "deploymentId": job["deployment_id"]})["data"]
    labels = told.get("labels") or {}
    script = ((told.get("artifact") or {}).get("sqlArtifact") or {}).get("sqlScript")
    found = {"job": f"{job['namespace']}/{job['name']}", "state": job["state"]}
    found |= {key: labels.get(name, "") for key, name in _LABELS.items()}
    running = blob(script.encode()) if isinstance(script, str) else ""
    return {**found, **_git(here, found, running)}


_LABELS = {"commit": COMMIT, "path": PATH, "blob": BLOB, "release": RELEASE}


def _git(here: Project, found: dict[str, Any], running: str) -> dict[str, Any]:
    """Return what Git and the ledger know of a job's labels, and whether all of it is one."""
    if not found["commit"]:
        return {
            "agrees": None,
            "note": "it was last changed by an apply of no commit, so nothing says where it is from",
        }
    try:
        repository = Repository.around(here.root, here.shell)
        commit = repository.commit(repository.resolve(found["commit"]))
        path = f"{JOBS}/{found['path']}"
        kept = repository.tree(commit.sha, path).get(path)
        entries = ledger.history(repository, here.environment)
        about = next((one.about for one in entries if one.about.get("release") == found["release"]), {})
    except FlinkformError as error:
        return {"agrees": None, "note": error.message}
    expected = kept.object if kept else ""
    if kept and found["blob"] == running != expected and not path.endswith(".yaml"):
        expected = _woven(repository, commit.sha, found["path"], here.environment)
    agrees = kept is not None and expected == found["blob"] == running
    who = {"author": f"{commit.author} <{commit.email}>", "date": commit.date, "subject": commit.subject}
    signed = {"signed_by": about.get("signed_by", ""), "approved_by": about.get("approved_by", [])}
    return {
        **who,
        **signed,
        "agrees": agrees,
        "note": "" if agrees else _why(found["blob"], running, expected),
    }


def _woven(repository: Repository, commit: str, path: str, environment: str) -> str:
    """Return the id of a job's script with all it includes, '' where it cannot be read."""
    try:
        return script(repository, commit, path, environment)
    except FlinkformError:
        return ""


def _why(label: str, running: str, kept: str) -> str:
    if running != label:
        return f"the script that runs is {running[:12]}, its label says {label[:12]}: it was changed behind Git's back"
    return f"the commit has {(kept or 'nothing')[:12]} at this path, the label says {label[:12]}"


def _text(value: Any) -> str:
    return (
        ", ".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else str(value)
    )
