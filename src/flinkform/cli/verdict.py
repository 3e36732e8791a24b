"""`flinkform verdict OLD.sql NEW.sql`: what an edit does to the state of a running job, before anything is stopped."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from flinkform.cli import project, tools
from flinkform.cli.files import woven
from flinkform.errors import Invalid, Missing
from flinkform.flink.plan import Plan
from flinkform.flink.settings import Settings
from flinkform.flink.validate import Planner
from flinkform.flink.verdict import Outcome, Verdict, verdict
from flinkform.jobfile.scripts import script as leading
from flinkform.resources.job import RESOURCE
from flinkform.schema.model import Change

_LIMIT = 4 << 20
"""Bytes of a script that are read."""


class _Script(NamedTuple):
    file: str
    text: str
    engine: str


def run(options: argparse.Namespace) -> int:
    """Print the verdict; whatever it is, the command did what it was asked for."""
    lines = (options.engine if options.old_engine is None else options.old_engine, options.engine)
    files = (options.old, options.new)
    scripts = [_Script(str(path), _script(path), line) for path, line in zip(files, lines, strict=True)]
    flink = _options(options.option)
    before, after = ({**flink, **leading(one.text.encode(), one.file).options} for one in scripts)
    found = _afresh(before, after) or verdict(*_compiled(scripts, flink))
    print(json.dumps(_object(found)) if options.json else found)
    return 0


def _afresh(before: Mapping[str, str], after: Mapping[str, str]) -> Verdict | None:
    """Return the verdict on options that no state is taken over with, whatever the scripts are."""
    attribute = RESOURCE.attribute("flink_options")
    if attribute.cost(before, after) is not Change.AFRESH:
        return None
    return Verdict(Outcome.LOST, f"Flink takes over no state once {', '.join(sorted(attribute.costs))} is another one")


def _compiled(scripts: Sequence[_Script], options: Mapping[str, str]) -> list[Plan | None]:
    """Return the plan of each script; those of one release share a planner."""
    plans: dict[_Script, Plan | None] = {}
    for line in dict.fromkeys(script.engine for script in scripts):
        with (
            tempfile.TemporaryDirectory(prefix="flinkform-") as folder,
            Planner(_settings(Path(folder), line)) as planner,
        ):
            these = [script for script in scripts if script.engine == line]
            plans |= {script: planner.compile(script.text, options, name=script.file) for script in these}
    return [plans[script] for script in scripts]


def _settings(folder: Path, line: str) -> Settings:
    """Return a planner's; outside of any project it has the connectors and the release that Flink brings."""
    java = Path(tools.java(os.environ).require())
    try:
        here = project.find().home
    except Missing:
        return Settings(home=folder, java=java, engine=line)
    return Settings(home=folder, java=java, connectors=here / "connectors", engines=here / "engines", engine=line)


def _object(found: Verdict) -> dict[str, object]:
    operators = [
        {"id": o.id, "fate": o.fate, "operator": o.label, "does": o.does, "note": o.note} for o in found.operators
    ]
    return {"verdict": found.outcome, "reason": found.reason, "operators": operators}


def _script(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT + 1)
        if len(content) > _LIMIT:
            raise Invalid(f"expected at most {_LIMIT >> 20} MiB of SQL, got more in {path}")
        return woven(path, content.decode())
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}", advice="name two files with SQL scripts") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"expected UTF-8 in {path}, got a byte that is not") from error


def _options(given: list[str]) -> Mapping[str, str]:
    pairs = [text.partition("=") for text in given]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise Invalid(f"expected --option KEY=VALUE, got {key!r}")
    return {key: value for key, _, value in pairs}
