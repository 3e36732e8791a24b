"""`flinkform validate`: job files against the schema, Flink's own planner and the rules; no server, nothing run."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flinkform import jobfile
from flinkform.cli import checks, planned, project, tools
from flinkform.cli.files import environment_file, jobs_folder, line_of, script, survey, woven
from flinkform.cli.planned import Script
from flinkform.cli.progress import Progress, Step, counted
from flinkform.cli.project import Project
from flinkform.controlplane import home
from flinkform.errors import Invalid, Missing, Position
from flinkform.flink.catalogue import DEFAULT
from flinkform.flink.values import Problem
from flinkform.jobfile import Job, Survey
from flinkform.jobfile.weave import Woven
from flinkform.rules.finding import Finding
from flinkform.rules.report import REPORTS
from flinkform.rules.table import Severity

_WIDTH = 200
"""Characters of a line that are shown."""


def run(options: argparse.Namespace) -> int:
    """Say every finding; 1 where one is an error."""
    forms = options.format or ["json" if options.json else "text"]
    if len(forms) != max(1, len(options.out)):
        raise Invalid(f"expected one --out for each --format, got {len(options.out)} for {len(forms)}")
    here = _here(options.paths)
    with Progress().step("checking the scripts") as step:
        found = _found(here, options.paths, options.since, step)
        step.result = f"{counted(found.checked, 'script')}, {counted(len(found.findings), 'problem')}"
    if not options.out:
        print(found.written(forms[0]), end="")
    else:
        for form, file in zip(forms, options.out, strict=True):
            home.write(file, found.written(form))
        print(found.written("text"), end="")
    return 1 if any(one.severity is Severity.ERROR for one in found.findings) else 0


@dataclass(frozen=True, slots=True)
class Found:
    """All that a check found; *files* are those that were looked at, *checked* counts their scripts."""

    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    checked: int
    notes: tuple[str, ...] = ()

    def written(self, form: str) -> str:
        """Return the report in its forms."""
        if form == "text":
            return "".join(f"{one.told}\n" for one in self.findings)
        if form == "json":
            problems = [one.object for one in self.findings]
            return json.dumps({"checked": self.checked, "problems": problems, "notes": self.notes}) + "\n"
        return REPORTS[form](self.findings, self.files)


def _found(here: Project, paths: list[Path], since: str, step: Step) -> Found:
    """Return what is wrong with the jobs at *paths*, or that differ *since* a commit, and with scripts elsewhere."""
    inside, outside = _split(here, paths)
    scripts = [_plain(path) for path in outside]
    if outside and not inside:
        return Found(tuple(_planned(here, scripts, step)), tuple(one.shown for one in scripts), len(scripts))
    there = survey(here)
    what = (
        checks.since(here, since, there.jobs) if since else checks.scope(there.jobs, _chosen(here, inside, there.jobs))
    )
    asked = {job.path: script(here, job) for job in (*what.chosen, *what.related) if "sql" in job.values}
    seen = dict(zip(asked, planned.look(here, [*asked.values(), *scripts], step), strict=False))
    mine = [job for job in what.chosen if job.path in seen]
    scripts = [*(asked[job.path] for job in mine), *scripts]
    findings = [*_written(here, there), *_planned(here, scripts, step)]
    findings += checks.broken(here, what, {path: one for path, (_, one) in seen.items()})
    files = dict.fromkeys([*(str(jobs_folder(here) / job.path) for job in what.chosen), *(s.shown for s in scripts)])
    moves = list(checks.unsaid(here, what))
    for note in moves:
        step.say(note)
    return Found(tuple(findings), tuple(files), len(scripts), (*_notes(here, there, step), *moves))


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
    there = survey(here)
    found, java = _written(here, there), tools.java(here.shell).found
    awake = [job for job in there.jobs if job.values.get("state", "running") == "running"]
    if not java and awake and not found and not here.shell.get("FLINKFORM_ENDPOINT"):
        told = f"Java 17 or newer was not found, and {counted(len(awake), 'job')} shall run; nothing was changed"
        raise Missing(told, advice="run `flinkform doctor --install`")
    if java:
        found += _planned(here, [script(here, job) for job in there.jobs if "sql" in job.values], step)
    _notes(here, there, step)
    if found:
        total = f"{counted(len(found), 'problem')} in the job files; nothing was changed"
        parts = [Invalid(finding.message, position=finding.position) for finding in found]
        raise Invalid("\n".join((total, *map(str, found))), parts=parts)
    right = f"{counted(len(there.jobs), 'job file')} {'is' if len(there.jobs) == 1 else 'are'} right"
    return right if java else f"{right}, and no script was looked at: Java was not found (`flinkform doctor`)"


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
        for line, count in sorted(Counter(map(line_of, there.jobs)).items())
        if line not in ("", DEFAULT, planned.engine(here, line))
    ]
    for note in notes:
        step.say(note)
    return notes


def _planned(here: Project, scripts: list[Script], step: Step) -> list[Finding]:
    """Return what the planner has against *scripts*."""
    return [_finding(here, one, problem) for one, problem in planned.check(here, scripts, step)]


def _finding(here: Project, asked: Script, problem: Problem) -> Finding:
    """Return a problem where it was written: an option that Flink refuses may be none of the script's own."""
    if problem.option and (place := _written_at(here, asked, problem.option)):
        return Finding(place, problem.message, id="flink")
    woven = asked.woven or Woven(asked.text, asked.shown)
    at = woven.place(problem.line, problem.column)
    return Finding(at, problem.message, woven.line(at)[:_WIDTH], id="flink")


def _written_at(here: Project, asked: Script, option: str) -> Position | None:
    """Return where the job of *asked* has its *option* from; None for a script outside `jobs/`."""
    folder = jobs_folder(here)
    if not Path(asked.shown).is_relative_to(folder):
        return None
    path = Path(asked.shown).relative_to(folder).as_posix()
    found = jobfile.origins(path, folder, environment=jobfile.environment(environment_file(here)))
    return next((one.said.position for one in found if one.at == ("flink_options", option)), None)


def _plain(path: Path) -> Script:
    """Return a script outside `jobs/`: nothing is known of it but its text."""
    try:
        return Script(str(path), woven(path, path.read_text(encoding="utf-8")), batch=False, options={})
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


def _chosen(here: Project, wanted: list[Path], jobs: Iterable[Job]) -> tuple[Job, ...]:
    """Return those of *jobs* that are at or below *wanted*, all where nothing is."""
    places = {job: (here.root / "jobs" / job.path).resolve() for job in jobs}
    return tuple(
        job
        for job, place in places.items()
        if not wanted or any(place == one or one in place.parents for one in wanted)
    )
