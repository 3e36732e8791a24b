"""Where their author wrote what a control plane complains of: it names lines of the script that it got."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from flinkform import jobfile
from flinkform.cli.files import environment_file, jobs_folder
from flinkform.cli.project import Project
from flinkform.cli.stacks import Stack
from flinkform.errors import FlinkformError, Position
from flinkform.jobfile import Job, job_path
from flinkform.release.git import Repository
from flinkform.release.review import Item
from flinkform.release.script import job_at
from flinkform.resources.job import RESOURCE

_PLACE = re.compile(r"\bline\s+(\d+),\s+column\s+(\d+)")


def located(here: Project, item: Item, commit: str) -> Item:
    """Return what a plan refuses with the place in the author's file, where it is about one."""
    if not _PLACE.search(item.refused) or not item.path.endswith(".sql"):
        return item
    at = _position(here, item.path, item.refused, commit)
    return replace(item, refused=f"{item.refused}\nwritten at {at}") if at else item


def placed(here: Project, stacks: tuple[Stack, ...], error: FlinkformError) -> FlinkformError:
    """Return a failure of terraform's in which each part about a script has its place; the rest stays."""
    folders = {stack.name: stack.folder for stack in stacks}
    found: list[FlinkformError] = []
    told: list[str] = []
    for part in error.parts:
        stack, address = (*(str(step) for step in part.at[:2]), "", "")[:2]
        path = _path(folders[stack], address) if stack in folders and _PLACE.search(part.message) else ""
        if path and (at := _position(here, path, part.message, "")):
            told.append(f"{address} is written at {at}")
            found.append(FlinkformError(part.message, at=part.at, position=at, advice=part.advice))
        else:
            found.append(part)
    if not told:
        return error
    return FlinkformError("\n".join((error.message, *told)), at=error.at, advice=error.advice, parts=found)


def _path(folder: Path, address: str) -> str:
    """Return the path of the script of a job in a stack, '' where it is none."""
    kind, _, name = address.partition(".")
    rows = json.loads((folder / "cdk.tf.json").read_text()).get("resource", {}).get(RESOURCE.type_name, {})
    if kind != RESOURCE.type_name or "sql" not in rows.get(name, {}):
        return ""
    space = str(rows[name]["//"]["metadata"]["path"]).split("/")[-2]
    return f"{space}/{job_path(str(rows[name]['name']))}.sql"


def _position(here: Project, path: str, message: str, commit: str) -> Position | None:
    """Return the place that *message* names of the script at *path*; `None` where it cannot be read."""
    place = _PLACE.search(message)
    try:
        job = _job(here, path, commit)
    except FlinkformError:
        return None
    return job.woven.place(int(place[1]), int(place[2])) if place and job.woven else None


def _job(here: Project, path: str, commit: str) -> Job:
    if commit:
        return job_at(Repository.around(here.root, here.shell), commit, path, here.environment)
    return jobfile.load_job(path, jobs_folder(here), environment=environment_file(here))
