"""The job files of a checkout, as its environment wants them and as a person would name them."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from flinkform import jobfile
from flinkform.cli import planned, project
from flinkform.cli.planned import Script
from flinkform.cli.project import Project
from flinkform.errors import Invalid, Missing
from flinkform.jobfile import Job, Survey
from flinkform.jobfile.weave import whole
from flinkform.openapi import engine


def jobs_folder(here: Project) -> Path:
    """Return the folder of job files as a person at the working directory would name it."""
    return Path(os.path.relpath(here.root / "jobs"))


def environment_file(here: Project) -> Path:
    """Return the environment's file; raises Invalid naming those there are."""
    folder = Path(os.path.relpath(here.root / "environments"))
    names = sorted(p.stem for p in folder.glob("*.yaml") if p.stem != "schema")
    if here.environment not in names:
        known = f"expected one of {', '.join(names)}" if names else f"{folder} has none"
        advice = f"set FLINKFORM_ENVIRONMENT to one that is there, or write {folder / 'NAME.yaml'}"
        raise Invalid(f"there is no environment {here.environment!r}, {known}", advice=advice)
    return folder / f"{here.environment}.yaml"


def survey(here: Project) -> Survey:
    """Return the checkout's jobs as its environment wants them, and what is wrong with any file."""
    jobs = jobs_folder(here)
    if not jobs.is_dir():
        raise Invalid(f"there is no folder {jobs}", advice="put job files into it, one folder a namespace")
    return jobfile.survey(jobs, environment=environment_file(here))


def script(here: Project, job: Job) -> Script:
    """Return what the planner is asked about a job of SQL."""
    options = dict(job.values.get("flink_options") or {})
    batch, line = job.values.get("execution_mode") == "BATCH", planned.engine(here, line_of(job))
    return Script(str(jobs_folder(here) / job.path), job.values["sql"], batch, options, line, job.woven)


def woven(path: Path, text: str) -> str:
    """Return what Flink gets of the script *text* at *path*: of a job with all that it includes.

    Invalid: it includes something, or names a variable, and is no job of the checkout around.
    """
    if whole(text):
        return text
    with suppress(Missing):
        here = project.checkout()
        jobs = (here.root / "jobs").resolve()
        if path.resolve().is_relative_to(jobs):
            file = path.resolve().relative_to(jobs).as_posix()
            job = jobfile.load_job(file, jobs_folder(here), environment=environment_file(here))
            return str(job.values["sql"])
    message = f"{path} includes something or names a variable, and is no job of this checkout"
    raise Invalid(message, advice="name a file in jobs/; `flinkform plan` compares with what was applied")


def line_of(job: Job) -> str:
    """Return the line of Flink that a job asks for; empty where it does not, or not in words that are known."""
    return engine.line(str(job.values.get("engine_version") or ""))
