"""`flinkform validate`: job files against the schema and Flink's own planner, with no server and nothing run."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flinkform import jobfile
from flinkform.cli import planned, project, tools
from flinkform.cli.planned import Script
from flinkform.cli.progress import Progress, Step, counted
from flinkform.cli.project import Project
from flinkform.errors import Invalid, Missing, Position
from flinkform.flink.catalogue import DEFAULT
from flinkform.flink.values import Problem
from flinkform.jobfile import Job, Survey
from flinkform.openapi import engine

_WIDTH = 200
"""Characters of a line that are shown."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong in one file; *line* is the text of the line it begins in, where that is known."""

    position: Position
    message: str
    line: str = ""

    def __str__(self) -> str:
        return f"{self.position}: {self.message}"

    @property
    def told(self) -> str:
        """For a person at a terminal: with the line, and a mark below the column."""
        if not self.line.strip():
            return str(self)
        blank = "".join(c if c == "\t" else " " for c in self.line[: self.position.column - 1])
        return f"{self}\n    {self.line}\n    {blank}^"

    @property
    def object(self) -> dict[str, Any]:
        at = self.position
        return {"file": at.file, "line": at.line, "column": at.column, "message": self.message, "excerpt": self.line}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("validate", help="check job files with Flink's own planner, without a server")
    parser.add_argument("paths", nargs="*", type=Path, help="scripts or folders of them; default: all jobs")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print every finding; 1 where there is one."""
    here = _here(options.paths)
    with Progress().step("checking the scripts") as step:
        inside, outside = _split(here, options.paths)
        scripts, found, notes = [_plain(path) for path in outside], list[Finding](), list[str]()
        if inside or not outside:
            there = _survey(here)
            scripts += [_script(here, job) for job in _chosen(here, inside, there.jobs) if "sql" in job.values]
            found, notes = _written(here, there), _notes(here, there, step)
        found += _planned(here, scripts, step)
        step.result = f"{counted(len(scripts), 'script')}, {counted(len(found), 'problem')}"
    if options.json:
        print(json.dumps({"checked": len(scripts), "problems": [one.object for one in found], "notes": notes}))
    else:
        for finding in found:
            print(finding.told)
    return 1 if found else 0


def _here(paths: list[Path]) -> Project:
    """Return the checkout around; scripts that are named need none."""
    try:
        return project.checkout()
    except Missing:
        if not paths:
            raise
    home = os.environ.get("FLINKFORM_HOME") or "~/.cache/flinkform"
    return Project(root=Path.cwd(), home=Path(home).expanduser().resolve(), shell=os.environ)


def checked(here: Project, step: Step) -> str:
    """Return how many job files are right; raises Invalid with every finding where one is not.

    Without Java the planner is not asked, and Missing is raised where our own control plane would have a job to run:
    it could make all of them and start none.
    """
    there = _survey(here)
    found, java = _written(here, there), tools.java(here.shell).found
    awake = [job for job in there.jobs if job.values.get("state", "running") == "running"]
    if not java and awake and not found and not here.shell.get("FLINKFORM_ENDPOINT"):
        told = f"Java 17 or newer was not found, and {counted(len(awake), 'job')} shall run; nothing was changed"
        raise Missing(told, advice="run `flinkform doctor --install`")
    if java:
        found += _planned(here, [_script(here, job) for job in there.jobs if "sql" in job.values], step)
    _notes(here, there, step)
    if found:
        total = f"{counted(len(found), 'problem')} in the job files; nothing was changed"
        parts = [Invalid(finding.message, position=finding.position) for finding in found]
        raise Invalid("\n".join((total, *map(str, found))), parts=parts)
    right = f"{counted(len(there.jobs), 'job file')} {'is' if len(there.jobs) == 1 else 'are'} right"
    return right if java else f"{right}, and no script was looked at: Java was not found (`flinkform doctor`)"


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
    composed = "Terraform composes this character (NFC); where its bytes matter, write its code, as in U&'e\\0301'"
    notes += [f"{place}: {composed}" for place in there.recomposed]
    notes += [
        f"{counted(count, 'job')} for Flink {line} planned by {DEFAULT}: `flinkform engine install {line}` fetches it"
        for line, count in sorted(Counter(map(_line_of, there.jobs)).items())
        if line not in ("", DEFAULT, planned.engine(here, line))
    ]
    for note in notes:
        step.say(note)
    return notes


def _planned(here: Project, scripts: list[Script], step: Step) -> list[Finding]:
    """Return what the planner has against *scripts*."""
    return [_finding(here, script, problem) for script, problem in planned.check(here, scripts, step)]


def _finding(here: Project, script: Script, problem: Problem) -> Finding:
    """Return a problem where it was written: an option that Flink refuses may be none of the script's own."""
    if problem.option and (place := _written_at(here, script, problem.option)):
        return Finding(place, problem.message)
    return Finding(Position(script.shown, problem.line, problem.column), problem.message, _line(script.text, problem))


def _written_at(here: Project, script: Script, option: str) -> Position | None:
    """Return where the job of *script* has its *option* from; None for a script outside `jobs/`."""
    folder = jobs_folder(here)
    if not Path(script.shown).is_relative_to(folder):
        return None
    path = Path(script.shown).relative_to(folder).as_posix()
    found = jobfile.origins(path, folder, environment=jobfile.environment(environment_file(here)))
    return next((one.said.position for one in found if one.at == ("flink_options", option)), None)


def _line(text: str, problem: Problem) -> str:
    """Return the line of a script that a problem begins in."""
    lines = text.splitlines()[problem.line - 1 : problem.line]
    return lines[0][:_WIDTH] if lines else ""


def _script(here: Project, job: Job) -> Script:
    options = dict(job.values.get("flink_options") or {})
    batch, line = job.values.get("execution_mode") == "BATCH", planned.engine(here, _line_of(job))
    return Script(str(jobs_folder(here) / job.path), job.values["sql"], batch, options, line)


def _line_of(job: Job) -> str:
    """Return the line of Flink that a job asks for; empty where it does not, or not in words that are known."""
    return engine.line(str(job.values.get("engine_version") or ""))


def _plain(path: Path) -> Script:
    """Return a script outside `jobs/`: nothing is known of it but its text."""
    try:
        return Script(str(path), path.read_text(encoding="utf-8"), batch=False, options={})
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"expected UTF-8 in {path}, got a byte that is not") from error


def _split(here: Project, paths: list[Path]) -> tuple[list[Path], list[Path]]:
    """Return those of *paths* that lie in `jobs/`, and the `.sql` files at or below the others."""
    jobs = (here.root / "jobs").resolve()
    inside, outside = list[Path](), list[Path]()
    for path in paths:
        if not path.exists():
            raise Invalid(f"{path} does not exist", advice="name files or folders")
        if path.resolve().is_relative_to(jobs):
            inside.append(path.resolve())
            continue
        found = sorted(p for p in path.rglob("*.sql") if p.is_file()) if path.is_dir() else [path]
        if not found:
            raise Invalid(f"there is no .sql file in {path}")
        outside += found
    return inside, list(dict.fromkeys(outside))


def _chosen(here: Project, wanted: list[Path], jobs: Iterable[Job]) -> list[Job]:
    """Return those of *jobs* that are at or below *wanted*, all where nothing is."""
    places = {job: (here.root / "jobs" / job.path).resolve() for job in jobs}
    return [
        job
        for job, place in places.items()
        if not wanted or any(place == one or one in place.parents for one in wanted)
    ]
