"""What a JVM died of, and of whose doing: all that is left of it is an exit code, its last report, and logs of jobs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from flinkform.flink import log
from flinkform.flink.values import Death

_MOST = 1 << 20
_OUT_OF_MEMORY = re.compile(r"OutOfMemory encountered: ([^\n]*)")
_SIGNAL = re.compile(r"^#\s+(SIG[A-Z]+) ", re.MULTILINE)
_THREAD = re.compile(r'^Current thread \([^)]*\):\s+JavaThread "(.*?)"(?: daemon)? \[', re.MULTILINE)


def examine(report: Path, jobs: Sequence[str], logs: Path) -> Death:
    """Why the JVM that wrote *report* (Java's `hs_err`) died; *jobs* ran in it, the newest last.

    No report: somebody ended it from outside, which is nobody's doing. The thread that died was most likely the one
    that took too much, and it bears the name of a task. Where it does not, the newest job is the one to suspect.
    """
    text = _start(report)
    reason = _reason(text)
    if not reason:
        return Death("")
    return Death(reason, (*_owners(text, jobs, logs), *jobs[:-2:-1]))


def _reason(text: str) -> str:
    if match := _OUT_OF_MEMORY.search(text):
        return f"Flink ran out of memory ({match[1].strip()})"
    if match := _SIGNAL.search(text):
        return f"Java crashed ({match[1]})"
    return "Java crashed" if text else ""


def _owners(text: str, jobs: Sequence[str], logs: Path) -> list[str]:
    """The jobs with a task of the name that the dying thread had, the newest first."""
    match = _THREAD.search(text)
    # `Source: a[1] -> Calc[2] (1/1)#0`: subtask and attempt, which a log line gives in the same way or not at all.
    task = re.sub(r"#\d+$", "", match[1].removeprefix("Legacy Source Thread - ")) if match else ""
    if not re.search(r" \(\d+/\d+\)$", task):
        return []
    return [job for job in reversed(jobs) if (file := log.path(logs, job)) and task in _start(file)]


def _start(file: Path) -> str:
    """The first part of a file, where a job's tasks are named and where a report says what happened."""
    try:
        with file.open("rb") as source:
            return source.read(_MOST).decode(errors="replace")
    except OSError:
        return ""
