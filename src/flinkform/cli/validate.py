"""`flinkform validate`: job files against the schema and Flink's own planner, with no server and nothing run."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flinkform import jobfile
from flinkform.cli import project, tools
from flinkform.cli.progress import Progress, Step, counted
from flinkform.cli.project import Project
from flinkform.controlplane import home
from flinkform.errors import Invalid, Position, Unavailable
from flinkform.flink.settings import Settings
from flinkform.flink.validate import Planner
from flinkform.jobfile import Job, Survey

_REMEMBERED = 20_000
"""How many scripts the cache of clean ones holds."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in one file."""

    position: Position
    message: str

    def __str__(self) -> str:
        return f"{self.position}: {self.message}"


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("validate", help="check job files with Flink's own planner, without a server")
    parser.add_argument("paths", nargs="*", type=Path, help="files or folders below jobs/; default: all")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print every finding; 1 where there is one."""
    here = project.checkout()
    with Progress().step("checking the job files") as step:
        there = _survey(here)
        jobs = _chosen(here, options.paths, there.jobs)
        found = [*_written(here, there), *check(here, jobs, step)]
        notes = _notes(here, there, step)
        step.result = f"{counted(len(jobs), 'job file')}, {counted(len(found), 'problem')}"
    if options.json:
        rows = [
            {"file": f.position.file, "line": f.position.line, "column": f.position.column, "message": f.message}
            for f in found
        ]
        print(json.dumps({"checked": len(jobs), "problems": rows, "notes": notes}))
    else:
        for finding in found:
            print(finding)
    return 1 if found else 0


def checked(here: Project, step: Step) -> str:
    """Return how many job files are right; raises Invalid with every finding where one is not.

    Without Java the planner is not asked: Flink cannot run a script either, and says so when it is told to.
    """
    there = _survey(here)
    found, planned = _written(here, there), tools.java(here.shell).found
    if planned:
        found += check(here, there.jobs, step)
    _notes(here, there, step)
    if found:
        total = f"{counted(len(found), 'problem')} in the job files; nothing was changed"
        parts = [Invalid(finding.message, position=finding.position) for finding in found]
        raise Invalid("\n".join((total, *map(str, found))), parts=parts)
    right = f"{counted(len(there.jobs), 'job file')} {'is' if len(there.jobs) == 1 else 'are'} right"
    return right if planned else f"{right}, and no script was looked at: Java was not found (`flinkform doctor`)"


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


def _survey(here: Project) -> Survey:
    """Return the checkout's jobs as its environment wants them, and what is wrong with any file."""
    jobs = jobs_folder(here)
    if not jobs.is_dir():
        raise Invalid(f"there is no folder {jobs}", advice="put job files into it, one folder a namespace")
    return jobfile.survey(jobs, environment=environment_file(here))


def _written(here: Project, there: Survey) -> list[Finding]:
    """Return what is wrong in the files whoever reads them."""
    nowhere = Position(str(jobs_folder(here)), 1, 1)
    return [Finding(e.position or nowhere, "; ".join(filter(None, (e.message, e.advice)))) for e in there.problems]


def _notes(here: Project, there: Survey, step: Step) -> list[str]:
    """Return, and say, what is no mistake but may be one."""
    file = environment_file(here)
    notes = [f"{file} names other namespaces and not {name}: it is made with the defaults" for name in there.silent]
    for note in notes:
        step.say(note)
    return notes


def check(here: Project, jobs: Iterable[Job], step: Step) -> list[Finding]:
    """Return what the planner has against *jobs*; scripts it accepted before are not asked about again."""
    clean = _Clean(here.home / "cache" / "validated.json")
    unknown = [job for job in jobs if clean.key(job) not in clean.keys]
    if not unknown:
        return []
    java = Path(tools.java(here.shell).require())
    home.prepare(here.home)
    found: list[Finding] = []
    with _naming(here), Planner(Settings(home=here.home / "planner", java=java)) as planner:
        for number, job in enumerate(unknown, 1):
            problems = planner.validate(job.values["sql"], batch=_batch(job), options=_options(job))
            found += [Finding(Position(_shown(here, job), p.line, p.column), p.message) for p in problems]
            if not problems:
                clean.keys[clean.key(job)] = None
            if number % 20 == 0:
                step.say(f"{number} of {len(unknown)} scripts")
    clean.save()
    return found


@contextmanager
def _naming(here: Project) -> Iterator[None]:
    """Have a planner that cannot work say where it wanted to."""
    try:
        yield
    except Unavailable as error:
        advice = f"{error.advice}, or set FLINKFORM_HOME to another folder" if error.advice else ""
        raise Unavailable(f"{here.home}: {error.message}", advice=advice) from error


class _Clean:
    """The scripts that the planner has accepted, by a hash of everything it looked at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.keys: dict[str, None] = dict.fromkeys(json.loads(path.read_text()))
        except (OSError, ValueError):
            self.keys = {}
        self.engine = tools.flink().version

    def key(self, job: Job) -> str:
        parts = json.dumps([self.engine, job.values["sql"], _batch(job), sorted(_options(job).items())])
        return hashlib.sha256(parts.encode()).hexdigest()

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(f".{os.getpid()}")
        new.write_text(json.dumps(list(self.keys)[-_REMEMBERED:]))
        new.replace(self.path)


def _batch(job: Job) -> bool:
    return bool(job.values.get("execution_mode") == "BATCH")


def _options(job: Job) -> dict[str, str]:
    return dict(job.values.get("flink_options") or {})


def _shown(here: Project, job: Job) -> str:
    return str(jobs_folder(here) / job.path)


def _chosen(here: Project, paths: list[Path], jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """Return those of *jobs* that are at or below *paths*."""
    if not paths:
        return jobs
    wanted = [p.resolve() for p in paths]
    for path in wanted:
        if not path.exists():
            raise Invalid(f"{path} does not exist", advice="name files or folders below jobs/")
    places = {job: (here.root / "jobs" / job.path).resolve() for job in jobs}
    return tuple(j for j, place in places.items() if any(place == w or w in place.parents for w in wanted))
