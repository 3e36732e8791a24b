"""`flinkform connectors`: what Flink does not bring itself, installed into the home for every job of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from flinkform.cli import project, tools
from flinkform.cli.progress import Progress, counted, table
from flinkform.errors import Missing
from flinkform.flink import connectors
from flinkform.flink.catalogue import CONNECTORS, Connector, Place
from flinkform.flink.connectors import Installed

_COLUMNS = ("name", "installed", "for_scripts_that_say", "note")
_AGAIN = "Flink takes it up when it starts again: `flinkform down`, then `flinkform up`"
_NOW = "jobs that start from now on may use it"


def _list(options: argparse.Namespace) -> int:
    """Print the catalogue of an engine and what is there of it."""
    engine, root = _engine(options), _root()
    there = {one.name: one for one in connectors.installed(connectors.folder(root, engine))}
    known = [connector for connector in CONNECTORS if engine in connector.engines]
    rows = [_row(connector, there.pop(connector.name, None), engine) for connector in known]
    rows += [{"name": one.name, "installed": True, "words": [], "note": "put there by hand"} for one in there.values()]
    if options.json:
        print(json.dumps({"engine": engine, "folder": str(connectors.folder(root, engine)), "connectors": rows}))
    else:
        print(table([_text(row) for row in rows], _COLUMNS))
    return 0


def _install(options: argparse.Namespace) -> int:
    """Install each, after all names were looked at; what was installed before a failure stays."""
    engine, root = _engine(options), _root()
    wanted = [connectors.chosen(name, engine) for name in dict.fromkeys(options.names)]
    done: list[Installed] = []
    for connector in wanted:
        with Progress().step(f"installing {connector.name} for Flink {engine}") as step:
            done.append(connectors.install(root, connector.name, engine=engine, say=step.say))
            step.result = counted(len(done[-1].jars), "jar")
    later = any(one.place is not Place.ADDED for one in done)
    if options.json:
        rows = [{"name": one.name, "jars": [str(jar) for jar in one.jars]} for one in done]
        print(json.dumps({"engine": engine, "installed": rows, "restart": later}))
    else:
        print(_AGAIN if later else _NOW)
    return 0


def _remove(options: argparse.Namespace) -> int:
    engine, root = _engine(options), _root()
    for name in options.names:
        connectors.remove(root, name, engine=engine)
    if options.json:
        print(json.dumps({"engine": engine, "removed": options.names}))
    else:
        print(f"removed {', '.join(options.names)}; a Flink that runs keeps them until it ends")
    return 0


def _engine(options: argparse.Namespace) -> str:
    """Return the line that is meant: the one asked for, else that of the installed Flink."""
    version = options.engine or tools.flink().version
    if not version:
        raise Missing("Flink is not installed", advice="name a version, such as --engine 2.3")
    return connectors.line(version)


def _root() -> Path:
    return project.find().home / "connectors"


def _row(connector: Connector, there: Installed | None, engine: str) -> dict[str, Any]:
    return {
        "name": connector.name,
        "installed": bool(there),
        "words": list(connector.words),
        "note": connector.note,
        "place": connector.place,
        "artifacts": [
            {"coordinates": artifact.coordinates, "sha256": artifact.sha256} for artifact in connector.engines[engine]
        ],
    }


def _text(row: dict[str, Any]) -> dict[str, str]:
    marks = {"installed": "yes" if row["installed"] else "-", "for_scripts_that_say": ", ".join(row["words"])}
    return {"name": row["name"], "note": row["note"], **marks}
