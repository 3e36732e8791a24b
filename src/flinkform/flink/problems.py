"""Flink's complaints about a script, as places and sentences."""

from __future__ import annotations

import re

from flinkform.flink.catalogue import advice
from flinkform.flink.diagnosis import causes, said
from flinkform.flink.sql import Lines, Statement, literal
from flinkform.flink.values import Problem

_RANGE = re.compile(r"[Ff]rom line (\d+), column (\d+) to line (\d+), column (\d+)")
_POINT = re.compile(r"\bline (\d+), column (\d+)")
_PLACE = re.compile(
    r"^(?:SQL (?:validation|parse) failed\. )*(?:(?:From|At) line \d+, column \d+(?: to line \d+, column \d+)?: )?"
    r"|,? at line \d+, column \d+"
)
_FACTORY = re.compile(
    r"Could not find any (format )?factory for identifier '([^']*)'(?: that implements '([^']*)')? in the classpath\.?"
    r"(?:\s+Available factory identifiers are:\s+((?:[\w.-]+\n?)+))?"
)
_TABLE = re.compile(r"Unable to create a (?:source|sink) for (?:reading|writing) table '([^']*)'")
_MISSING = re.compile(
    r"Object '[^']*' not found|Cannot find table|No match found for function signature|does not exist"
)
_LISTS = ("Available", "Supported", "Was expecting", "Table options", "Required options")
_INTERNAL = ("legacy-", "python-")
_LIMIT = 500


def problem(trace: str, part: Statement, lines: Lines) -> Problem:
    """What a stack trace says about a statement. Where it names no place: the connector's name, else the first line."""
    told = causes(trace)
    message = _message(trace, told)
    for cause in told:
        if match := _RANGE.search(cause):
            line, column, end_line, end = (int(group) for group in match.groups())
            return Problem(line, lines.column(line, column), end_line, lines.column(end_line, end), message)
        if match := _POINT.search(cause):
            line, column = int(match[1]), lines.column(int(match[1]), int(match[2]))
            return Problem(line, column, line, column, message)
    if match := _FACTORY.search(trace):
        return _at_literal(part, match[2], lines, message)
    return whole(part, message)


def whole(part: Statement, message: str) -> Problem:
    """A problem of a whole statement: its first line."""
    width = len(part.text.splitlines()[0])
    return Problem(part.line, part.column, part.line, part.column + width - 1, message)


def missing(trace: str) -> bool:
    """Whether something the script should have made is not there."""
    return bool(_MISSING.search("\n".join(causes(trace))))


def table(trace: str) -> str | None:
    """The table whose options Flink does not like, as catalog.database.table."""
    match = _TABLE.search(trace)
    return match[1] if match else None


def _message(trace: str, told: list[str]) -> str:
    if match := _FACTORY.search(trace):
        catalog = "catalog" if (match[3] or "").endswith(".CatalogFactory") else "connector"
        kind = "format" if match[1] else catalog
        present = ", ".join(name for name in sorted((match[4] or "").split()) if not name.startswith(_INTERNAL))
        words = (f"{kind} '{match[2]}' is not installed", advice(match[2]), present and f"present: {present}")
        return "; ".join(filter(None, words))
    root = _folded(told[-1]) if told else trace[:_LIMIT]
    return _PLACE.sub("", root).strip()[:_LIMIT]


def _folded(cause: str) -> str:
    """A message of several lines as one, up to the lists of everything that would have been possible."""
    kept: list[str] = []
    for line in cause.splitlines():
        if line.startswith(_LISTS) and kept:
            break
        kept.append(line.strip())
    return " ".join(filter(None, [said("\n".join(kept[:1])), *kept[1:]]))


def _at_literal(part: Statement, value: str, lines: Lines, message: str) -> Problem:
    offset = literal(part.text, value)
    if offset is None:
        return whole(part, message)
    line, column = lines.move(part, offset)
    return Problem(line, column, line, column + len(value) + 1, message)
