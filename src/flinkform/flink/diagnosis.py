"""Flink's stack traces in words that tell a person what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flinkform.flink import catalogue
from flinkform.flink.families import FAMILIES, Family
from flinkform.flink.graph import named
from flinkform.flink.values import Clue, Diagnosis

_CLASS = re.compile(r"^(?:Caused by: )?(?:[\w$]+\.)+([\w$]+)(?:: (.*))?$", re.DOTALL)


_READING = re.compile(r"SplitFetcher|SourceReader|SourceCoordinator|SplitEnumerator|enumerate file splits")
_SHOWN = 200
"""Characters of Flink's own words within a reason: they may repeat a row."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A stack trace, the task that threw it, and the times of it and those before, in milliseconds.

    *reads* are the tables that the task scans, *writes* those that its rows come to; empty where that is not known.
    """

    trace: str
    vertex: str | None
    times: tuple[int, ...] = ()
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


def diagnose(failure: Failure) -> Diagnosis:
    """Name the family of a failure; one that is not known is told by its root cause."""
    root = root_line(failure.trace)
    vertex = named(failure.vertex)
    for family in FAMILIES:
        if match := family.pattern.search(failure.trace):
            groups = (group or "?" for group in match.groups())
            reason = family.reason.format(*groups, root=root[:_SHOWN]).replace(" (?)", "")
            advice = catalogue.advice(match[1]) if family.installable else ""
            return Diagnosis(reason, root, vertex, advice or family.advice, failure.times, _clue(failure, family))
    return Diagnosis(root, root, vertex, times=failure.times)


def _clue(failure: Failure, family: Family) -> Clue:
    return Clue(
        family.part,
        family.words,
        family.option,
        failure.reads,
        failure.writes,
        reading=bool(_READING.search(failure.trace)),
        said="\n".join(causes(failure.trace)),
    )


def root_line(trace: str) -> str:
    """The last cause of a stack trace that says something, without its Java class where the text stands alone."""
    told = [text for cause in causes(trace) if (text := said(cause))]
    return told[-1][:1000] if told else trace.strip().partition("\n")[0][:1000]


def causes(trace: str) -> list[str]:
    """The messages of a stack trace from the outermost to the root, each with its class; frames are left out."""
    found: list[list[str]] = [[]]
    skip = False
    for line in trace.splitlines():
        if line.startswith("Caused by: "):
            found.append([])
            skip = False
        elif line.lstrip().startswith("Suppressed: "):
            skip = True
        if re.match(r"\s+(?:at |\.\.\. \d+ more)", line) or skip:
            continue
        found[-1].append(line.rstrip())
    return ["\n".join(lines).strip() for lines in found if any(lines)]


def said(cause: str) -> str:
    """A cause's text; with its class in front where the text alone is a riddle."""
    match = _CLASS.match(cause)
    if not match:
        return cause.partition("\n")[0]
    name, text = match[1], (match[2] or "").partition("\n")[0].strip()
    if not text:
        return name
    return text if " " in text else f"{name}: {text}"
