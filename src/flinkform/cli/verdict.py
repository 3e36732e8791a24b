"""`flinkform verdict OLD.sql NEW.sql`: what an edit does to the state of a running job, before anything is stopped."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from flinkform.cli import project, tools
from flinkform.errors import Invalid, Missing
from flinkform.flink.settings import Settings
from flinkform.flink.validate import Planner
from flinkform.flink.verdict import Verdict, verdict

_LIMIT = 4 << 20
"""Bytes of a script that are read."""


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("verdict", help="say what an edit of a job's SQL does to its state")
    parser.add_argument("old", type=Path, metavar="OLD.sql", help="the script that runs")
    parser.add_argument("new", type=Path, metavar="NEW.sql", help="the script that is to run")
    parser.add_argument("--option", action="append", default=[], metavar="KEY=VALUE", help="a Flink option of both")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the verdict; whatever it is, the command did what it was asked for."""
    scripts = [_script(path) for path in (options.old, options.new)]
    flink = _options(options.option)
    java = Path(tools.java(os.environ).require())
    with tempfile.TemporaryDirectory(prefix="flinkform-") as folder:
        with Planner(Settings(home=Path(folder), java=java, connectors=_connectors())) as planner:
            names = (str(options.old), str(options.new))
            plans = [planner.compile(text, flink, name=name) for name, text in zip(names, scripts, strict=True)]
        found = verdict(*plans)
    print(json.dumps(_object(found)) if options.json else found)
    return 0


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
        return content.decode()
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}", advice="name two files with SQL scripts") from error
    except UnicodeDecodeError as error:
        raise Invalid(f"expected UTF-8 in {path}, got a byte that is not") from error


def _connectors() -> Path | None:
    """Return where this project has its connectors; scripts outside of any are read with what Flink brings."""
    try:
        return project.find().home / "connectors"
    except Missing:
        return None


def _options(given: list[str]) -> Mapping[str, str]:
    pairs = [text.partition("=") for text in given]
    for key, equals, _ in pairs:
        if not key or not equals:
            raise Invalid(f"expected --option KEY=VALUE, got {key!r}")
    return {key: value for key, _, value in pairs}
