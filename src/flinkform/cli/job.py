"""`flinkform job`: what a job's files and its environment make of it, and which of them said so."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flinkform import jobfile
from flinkform.cli import project
from flinkform.cli.files import environment_file, jobs_folder
from flinkform.cli.named import unclear
from flinkform.cli.progress import table
from flinkform.cli.project import Project
from flinkform.jobfile import Origin
from flinkform.resources import job as resource

_WIDE = 60
"""Characters of a value that the table shows."""


def run(options: argparse.Namespace) -> int:
    """Print every value with its place, and what it took the place of."""
    here = project.checkout()
    path = _found(here, options.job)
    origins = jobfile.origins(path, jobs_folder(here), environment=environment_file(here))
    print(json.dumps(_object(here, path, origins)) if options.json else _text(here, path, origins))
    return 0


def _found(here: Project, wanted: str) -> str:
    """Return the path of the job that is called *wanted*, relative to the folder of job files."""
    there = jobfile.survey(jobs_folder(here), environment=environment_file(here))
    jobs, place = there.jobs, Path(wanted).resolve()
    paths = [
        job.path
        for job in jobs
        if wanted in {job.name, f"{job.namespace}/{job.name}"} or place == (here.root / "jobs" / job.path).resolve()
    ]
    if not paths and there.problems:
        raise there.problems[0]
    if len(paths) != 1:
        raise unclear(wanted, paths or (f"{job.namespace}/{job.name}" for job in jobs), several=bool(paths))
    return paths[0]


def _text(here: Project, path: str, origins: tuple[Origin, ...]) -> str:
    rows = [{"key": ".".join(map(str, one.at)), "value": _shown(one.said.value), "from": _from(one)} for one in origins]
    said = {one.at[0] for one in origins}
    rows += [
        {"key": a.name, "value": _shown(a.default), "from": "default"}
        for a in resource.RESOURCE.attributes
        if a.default is not None and a.name not in said
    ]
    head = f"{jobs_folder(here) / path} in the environment {here.environment}"
    return f"{head}\n\n{table(rows, ('key', 'value', 'from'))}"


def _from(one: Origin) -> str:
    over = "".join(f", over {_shown(said.value)} of {said.position}" for said in one.over)
    return f"{one.said.position}{over}"


def _shown(value: Any) -> str:
    text = "(taken away)" if value is None else value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _WIDE else text[: _WIDE - 3] + "..."


def _object(here: Project, path: str, origins: tuple[Origin, ...]) -> dict[str, Any]:
    """Return what `--json` prints; `over` is the nearest file first."""
    values = [{"at": one.at, **asdict(one.said), "over": [asdict(said) for said in one.over]} for one in origins]
    return {"file": str(jobs_folder(here) / path), "environment": here.environment, "values": values}
