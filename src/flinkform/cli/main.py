"""The `flinkform` command: which module answers, and what the exit code means.

0 done · 1 an expected failure, said on stderr · 2 wrong usage · 3 a bug in flinkform · 130 interrupted
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from types import ModuleType
from typing import Any

from flinkform import __version__
from flinkform.errors import FlinkformError, Refused, Unavailable

COMMANDS = {
    "init": "begin an infrastructure repository in an empty folder or Git repository",
    "ci": "write the pipelines of a repository anew from what it declares",
    "up": "set everything up and bring every job of this repository to the state it asks for",
    "down": "stop what `up` started; jobs come back at the next `up` from their newest checkpoint",
    "status": "show the jobs and where they are",
    "show": "list what a control plane keeps, noun by noun, or show one thing of it",
    "plan": "say what a change does to every job, before anything is touched",
    "release": "plan a commit, and sign the plan as a file to be applied",
    "approve": "sign a release that somebody else has made",
    "apply": "carry out a signed release, in waves",
    "promote": "release to an environment what another one runs",
    "rollback": "go back to the job files of an older commit, by a commit of its own",
    "history": "show the releases of an environment",
    "export": "write job files and imports for a namespace that exists",
    "blame": "say which commit a job's definition comes from",
    "drift": "show what runs otherwise than Git says",
    "diff": "show what differs between two environments",
    "validate": "check job files with Flink's own planner, without a server",
    "job": "show a job's values and where each was written",
    "jar": "bring a jar to a bucket, and print what a job file says of it",
    "connectors": "list, install and remove connectors and formats",
    "engine": "list, install and remove releases of Flink",
    "verdict": "say what an edit of a job's SQL does to its state",
    "logs": "print a job's log",
    "runs": "show what a job ran, from which state to which, and how it ended",
    "savepoint": "list, create and delete a job's savepoints",
    "doctor": "say which programs were found, what is missing and what to do",
    "env": "print what a shell needs for plain terraform and cdktf",
    "state": "list, restore and unlock Terraform states kept by the control plane",
    "key": "make, list and remove access keys of the control plane",
    "token": "make, list and remove temporary keys of the control plane",
    "audit": "show who changed what, and check that nothing of it was altered",
    "completion": "print what a shell needs to complete flinkform's words",
    "controlplane": "run the embedded control plane in the foreground",
}
MODULES = {"env": "shell"}
"""Commands whose module has another name than theirs."""
_DISK = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space and try again"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "change its permissions and try again"),
}
"""What to do about a disk that does not do as it is told."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        options = _parser(*words[:1]).parse_args(words)
        return int(options.run(options))
    except FlinkformError as error:
        return _failed(error, as_json="--json" in words)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130
    except BrokenPipeError:
        # Whoever read our output has left; say nothing more, and let the interpreter's own flush at exit pass.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _disk(error, as_json="--json" in words) if error.errno in _DISK else _bug()
    except Exception:  # noqa: BLE001 -- the edge of the process: what is not a FlinkformError is a bug, and is said to be
        return _bug()


def whole() -> argparse.ArgumentParser:
    """Return the parser with every command in full."""
    return _parser(*COMMANDS)


def _parser(*named: str) -> argparse.ArgumentParser:
    """Return the parser, with only the modules of *named* imported: the others cost start-up time."""
    parser = argparse.ArgumentParser(prog="flinkform", description="Infrastructure as code for Apache Flink platforms.")
    parser.add_argument("--version", action="version", version=f"flinkform {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, summary in COMMANDS.items():
        if name in named:
            _module(name).register(commands)
        else:
            commands.add_parser(name, help=summary, add_help=False)
    return parser


def _module(command: str) -> ModuleType:
    return import_module(f"flinkform.cli.options.{MODULES.get(command, command)}")


def _failed(error: FlinkformError, *, as_json: bool) -> int:
    """Say *error* on stderr; with --json also as an object on stdout, for scripts."""
    if as_json:
        print(json.dumps(_object(error) | {"parts": [_object(part) for part in error.parts]}))
    sys.stderr.write(f"error: {error}\n")
    return 1


def _disk(error: OSError, *, as_json: bool) -> int:
    """Say that a file could not be written or read: whatever the file is for, that is no bug."""
    reason = (error.strerror or str(error)).lower()
    told = f"{error.filename}: {reason}" if error.filename else reason
    return _failed(Unavailable(told, advice=_DISK[error.errno or 0]), as_json=as_json)


def _bug() -> int:
    traceback.print_exc()
    sys.stderr.write("this is a bug in flinkform: please report it with the lines above\n")
    return 3


def _object(error: FlinkformError) -> dict[str, Any]:
    """Return what a script may want to know of *error*; what the API answered only where it did."""
    answer = ("operation", "request_id") if isinstance(error, Refused) else ()
    return {
        "error": type(error).__name__,
        "message": error.message,
        "advice": error.advice,
        "at": list(error.at),
        "position": asdict(error.position) if error.position else None,
        **({"code": error.code} if error.code else {}),
        **{name: getattr(error, name) for name in answer},
    }


if __name__ == "__main__":
    sys.exit(main())
