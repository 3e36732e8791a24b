"""Asks Flink's planner about scripts, several at once, and remembers what it said of each."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import flinkform
from flinkform.cli import tools
from flinkform.cli.progress import Step
from flinkform.cli.project import Project
from flinkform.controlplane import home
from flinkform.errors import Unavailable
from flinkform.flink import connectors, engines
from flinkform.flink.settings import Settings
from flinkform.flink.validate import Planner
from flinkform.flink.values import Problem, Seen, Table
from flinkform.jobfile.weave import Woven

THREADS = min(8, 2 * (os.cpu_count() or 1))
"""The planner's threads: a few more than there are processors, as each also waits for Python."""
_SECONDS = 30.0
"""How long one statement may take to be planned."""
_REMEMBERED = 20_000
"""How many scripts' answers are kept."""


@dataclass(frozen=True, slots=True)
class Script:
    """What the planner is asked about: *shown* is its file as a person would name it."""

    shown: str
    text: str
    batch: bool
    options: Mapping[str, str]
    engine: str = ""
    """The line of Flink that plans it; the usual one if empty."""
    woven: Woven | None = None
    """Where its author wrote each part of it; as it stands where nobody says."""


def engine(here: Project, line: str) -> str:
    """Return the line that plans the jobs of *line* here: itself if it is installed, else the usual one, empty."""
    return line if line in engines.installed(_engines(here))[1:] else ""


def check(here: Project, scripts: Sequence[Script], step: Step) -> list[tuple[Script, Problem]]:
    """Return what the planner has against each, in their order; none is asked about that it knows."""
    return [(script, problem) for script, seen in look(here, scripts, step) for problem in seen.problems]


def look(here: Project, scripts: Sequence[Script], step: Step) -> list[tuple[Script, Seen]]:
    """Return what the planner found in each, in their order; none is asked about that it knows."""
    kept = _Kept(here.home / "cache" / "planned.json")
    marks = {line: _marks(here, line) for line in {script.engine for script in scripts}}
    keys = {script.shown: kept.key(script, marks[script.engine]) for script in scripts}
    unknown = {keys[script.shown]: script for script in scripts if keys[script.shown] not in kept.answers}
    try:
        for line in sorted({script.engine for script in unknown.values()}):
            _ask(here, line, {key: one for key, one in unknown.items() if one.engine == line}, kept, step)
    finally:
        if unknown:
            kept.save()
    return [(script, kept.answers[keys[script.shown]]) for script in scripts]


def _ask(here: Project, line: str, unknown: Mapping[str, Script], kept: _Kept, step: Step) -> None:
    logging.getLogger().addHandler(logging.NullHandler())  # py4j logs a lost connection with its trace to the root
    java = Path(tools.java(here.shell).require())
    home.prepare(here.home)
    archive = Path(here.shell.get("FLINKFORM_ARCHIVE") or here.home / "flink" / "archive")
    there = here.home / "connectors"
    settings = Settings(here.home / "planner", java, connectors=there, archive=archive, call_timeout=_SECONDS)
    settings = replace(settings, engines=_engines(here), engine=line)
    with _naming(here), Planner(settings) as planner, ThreadPoolExecutor(THREADS) as pool:

        def ask(script: Script) -> Seen:
            return planner.look(script.text, batch=script.batch, options=script.options)

        for number, (key, found) in enumerate(zip(unknown, pool.map(ask, unknown.values()), strict=True), 1):
            kept.answers[key] = found
            if number % 20 == 0:
                step.say(f"{number} of {len(unknown)} scripts")


@contextmanager
def _naming(here: Project) -> Iterator[None]:
    """Have a planner that cannot work say where it wanted to."""
    try:
        yield
    except Unavailable as error:
        advice = f"{error.advice}, or set FLINKFORM_HOME to another folder" if error.advice else ""
        raise Unavailable(f"{here.home}: {error.message}", advice=advice) from error


def _marks(here: Project, line: str) -> list[str]:
    """Return what an answer depends on beside the script: flinkform, Flink, and the connectors that are installed."""
    release = engines.version(engines.find(_engines(here), line)) if line else tools.flink().version
    there = connectors.installed(connectors.folder(here.home / "connectors", release))
    return [flinkform.__version__, release, connectors.digest(there)]


def _engines(here: Project) -> Path:
    return here.home / "engines"


class _Kept:
    """The planner's answers by a hash of everything it looked at."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            read = json.loads(path.read_text())
            self.answers = {key: _seen(*rows) for key, rows in read.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self.answers = {}

    def key(self, script: Script, marks: list[str]) -> str:
        parts = json.dumps([*marks, script.text, script.batch, sorted(script.options.items())])
        return hashlib.sha256(parts.encode(errors="surrogatepass")).hexdigest()

    def save(self) -> None:
        """Write the newest answers, but for those that may be another tomorrow."""
        last = list(self.answers.items())[-_REMEMBERED:]
        rows = {key: astuple(seen) for key, seen in last if not any(one.passing for one in seen.problems)}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        home.write(self._path, json.dumps(rows))


def _seen(problems: list[list[Any]], tables: list[list[Any]]) -> Seen:
    return Seen(tuple(Problem(*row) for row in problems), tuple(Table(*row) for row in tables))
