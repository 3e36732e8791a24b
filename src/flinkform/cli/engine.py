"""`flinkform engine`: other releases of Flink beside the usual one, for jobs whose engine_version asks for them."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path

from flinkform.cli import install, project
from flinkform.cli.progress import Progress, table
from flinkform.errors import Conflict, Invalid
from flinkform.flink import engines
from flinkform.flink.catalogue import DEFAULT
from flinkform.openapi import engine


def _list(options: argparse.Namespace) -> int:
    root = _root()
    there = engines.installed(root)
    rows: list[dict[str, object]] = [
        {
            "engine": line,
            "installed": line in there,
            "version": engines.version(engines.find(root, line)) if line in there else "",
            "engine_version": engine.name(line),
        }
        for line in (DEFAULT, *engines.OTHERS)
    ]
    if options.json:
        print(json.dumps({"engines": rows}))
    else:
        told = [{key: str(value) for key, value in row.items()} | {"installed": _yes(row)} for row in rows]
        print(table(told, ("engine", "installed", "version", "engine_version")))
    return 0


def _yes(row: dict[str, object]) -> str:
    return "yes" if row["installed"] else "-"


def _install(options: argparse.Namespace) -> int:
    """Install a release, whole or not at all; harmless where it is there."""
    line, root = _chosen(options.line), _root()
    if line not in engines.installed(root):
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = project.find().root / "locks" / f"flink-{line}.lock"
        with (
            tempfile.TemporaryDirectory(dir=root, prefix=".new-") as new,
            Progress().step(f"installing Flink {line}") as step,
        ):
            install.packages(lock, step, target=Path(new) / "made")
            shutil.rmtree(root / line, ignore_errors=True)
            (Path(new) / "made").rename(root / line)
    version = engines.version(engines.find(root, line))
    if options.json:
        print(json.dumps({"engine": line, "version": version, "engine_version": engine.name(line)}))
    else:
        print(f"jobs may ask for Flink {version} with engine_version: {engine.name(line)}")
    return 0


def _remove(options: argparse.Namespace) -> int:
    line, root = _chosen(options.line), _root()
    if line not in engines.installed(root):
        raise Conflict(f"Flink {line} is not installed")
    shutil.rmtree(root / line)
    print(json.dumps({"removed": line}) if options.json else f"removed Flink {line}; jobs that ask for it do not start")
    return 0


def _chosen(line: str) -> str:
    if line not in engines.OTHERS:
        known = " or ".join(engines.OTHERS)
        raise Invalid(f"expected {known}, got {line!r}", advice=f"Flink {DEFAULT} is always there")
    return line


def _root() -> Path:
    return project.find().home / "engines"
