"""`flinkform doctor`: what was found, what is missing, what to do; `--install` fetches what packages can bring."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict

from flinkform.cli import project, tools
from flinkform.cli.tools import Tool
from flinkform.errors import Missing


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("doctor", help="say which programs were found, what is missing and what to do")
    parser.add_argument("--install", action="store_true", help="install what is missing and a package can bring")
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Return 0 where nothing is missing."""
    if options.install:
        _install()
    found = tools.all_of(os.environ)
    if options.json:
        print(json.dumps({"tools": [asdict(t) | {"found": t.found} for t in found]}))
    else:
        for tool in found:
            print(_line(tool))
    return 0 if all(t.found for t in found) else 1


def _line(tool: Tool) -> str:
    if tool.found:
        note = f"  ({tool.note})" if tool.note else ""
        return f"ok       {tool.name:10} {tool.version:12} {tool.path}  [{tool.source}]{note}"
    todo = "run `flinkform doctor --install`" if tool.lock else "install it with your system's packages"
    return f"missing  {tool.name:10} wanted {tool.wanted:8} {todo}{'; ' + tool.note if tool.note else ''}"


def _install() -> None:
    """Install the packages of what is missing, by name, version and hash."""
    root = project.find(os.environ).root
    for tool in tools.all_of(os.environ):
        if tool.found or not tool.lock:
            continue
        sys.stderr.write(f"installing {tool.name} from locks/{tool.lock} ...\n")
        words = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--require-hashes",
            "-r",
            str(root / "locks" / tool.lock),
        ]
        if subprocess.run(words, check=False).returncode:
            raise Missing(f"{tool.name} {tool.wanted} could not be installed", advice=tool.note or "install it by hand")
