"""`flinkform doctor`: what was found, what is missing, what to do; `--install` fetches what packages can bring."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from flinkform.cli import install, project, tools
from flinkform.cli.progress import Progress
from flinkform.cli.tools import Tool
from flinkform.errors import FlinkformError


def run(options: argparse.Namespace) -> int:
    """Return 0 where nothing is missing."""
    found = tools.all_of(os.environ)
    if options.install:
        _install(found)
        found = tools.all_of(os.environ)
        tools.link(found)
    if options.json:
        print(json.dumps({"tools": [asdict(t) | {"found": t.found} for t in found]}))
    else:
        for tool in found:
            print(_line(tool))
    return 0 if all(t.found for t in found) else 1


def _line(tool: Tool) -> str:
    note = f"  ({tool.note})" if tool.note else ""
    if tool.found:
        return f"ok       {tool.name:10} {tool.version:12} {tool.path}  [{tool.source}]{note}"
    todo = "run `flinkform doctor --install`" if tool.lock else "install it with your system's packages"
    return f"missing  {tool.name:10} wanted {tool.wanted:8} {todo}{note}"


def _install(found: tuple[Tool, ...]) -> None:
    """Install the packages of what is missing, by name, version and hash; one that fails does not stop the others."""
    locks = project.find(os.environ).root / "locks"
    failed = []
    for tool in found:
        if not tool.lock or (tool.found and not _outdated(locks / tool.lock)):
            continue
        try:
            with Progress().step(f"installing {tool.name}") as step:
                install.packages(locks / tool.lock, step)
        except FlinkformError as error:
            words = (str(error), "or install it by hand", tool.note)
            failed.append(f"{tool.name} {tool.wanted} could not be installed: {'; '.join(filter(None, words))}")
    for message in failed:
        sys.stderr.write(f"error: {message}\n")


def _outdated(lock: Path) -> bool:
    """Say whether *lock* asks for another version than the one that is installed."""
    name, wanted = lock.read_text().split(maxsplit=1)[0].split("==")
    return tools.package(name) != wanted
