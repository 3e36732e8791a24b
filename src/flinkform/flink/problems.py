"""Flink's complaints about a script, as places and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

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
_UNKNOWN = re.compile(
    r"Unsupported options found for '([^']*)'\.\s+Unsupported options:\s+((?:[^\s:]+\n)*[^\s:]+)"
    r"(?:\s+Supported options:\s+((?:\S+\n?)+))?"
)
_VALUE = re.compile(r"Could not parse value '[^']*' for key '")
_KEY = re.compile(r"\b(?:option|key) '([^'\s]+)'")
_MISSING = re.compile(
    r"Object '([^']*)' not found|Cannot find table|No match found for function signature (\w+)|does not exist"
)
_SINK = re.compile(r"Cannot find table '(?:`[^`]*`\.)*`([^`]*)`'")
_LISTS = ("Available", "Supported", "Was expecting", "Table options", "Required options")
_INTERNAL = ("legacy-", "python-")
_LIMIT = 500


def problems(trace: str, part: Statement, near: Iterable[Statement], lines: Lines) -> list[Problem]:
    """What a stack trace says about a statement; several where Flink lists options that a table does not have.

    Where it names no place: the option or the connector that it names, in *part* or else in the first of *near* that
    has it; else the first line of the statement.
    """
    told = causes(trace)
    if match := _UNKNOWN.search("\n".join(told)):
        return [_unknown(key, match, (part, *near), lines) for key in match[2].split()]
    return [_problem(trace, told, (part, *near), lines)]


def problem(trace: str, part: Statement, lines: Lines) -> Problem:
    """The first of them."""
    return problems(trace, part, (), lines)[0]


def _problem(trace: str, told: list[str], parts: Sequence[Statement], lines: Lines) -> Problem:
    message = _message(trace, told)
    for cause in told:
        if match := _RANGE.search(cause):
            line, column, end_line, end = (int(group) for group in match.groups())
            return Problem(line, lines.column(line, column), end_line, lines.column(end_line, end), message)
        if match := _POINT.search(cause):
            line, column = int(match[1]), lines.column(int(match[1]), int(match[2]))
            return Problem(line, column, line, column, message)
    named = [match[2]] if (match := _FACTORY.search(trace)) else _KEY.findall("\n".join(told))
    for word in named:
        if found := _at_literal(parts, word, lines, message):
            return found
    if (match := _SINK.search("\n".join(told))) and (found := _at_name(parts[0], match[1], lines, message)):
        return found
    return whole(parts[0], message)


def _unknown(key: str, match: re.Match[str], parts: Sequence[Statement], lines: Lines) -> Problem:
    """An option that a table does not have, at the option."""
    close = get_close_matches(key, (match[3] or "").split(), n=1)
    message = f"'{match[1]}' has no option '{key}'" + (f"; did you mean '{close[0]}'?" if close else "")
    return _at_literal(parts, key, lines, message) or whole(parts[0], message)


def whole(part: Statement, message: str) -> Problem:
    """A problem of a whole statement: its first line."""
    width = len(part.text.splitlines()[0])
    return Problem(part.line, part.column, part.line, part.column + width - 1, message)


def missing(trace: str, broken: Iterable[Statement]) -> bool:
    """Whether something is not there that one of the *broken* statements would have made."""
    match = _MISSING.search("\n".join(causes(trace)))
    if not match:
        return False
    name = (match[1] or match[2] or "").split(".")[-1].strip("`")
    return any(name.lower() in part.code.lower() for part in broken)


def table(trace: str) -> str | None:
    """The table whose options Flink does not like, as catalog.database.table."""
    match = _TABLE.search(trace)
    return match[1] if match else None


def writing(trace: str) -> bool:
    """Whether the table whose options Flink does not like was to be written."""
    match = _TABLE.search(trace)
    return bool(match and "sink" in match[0])


def placed(trace: str) -> bool:
    """Whether Flink itself names a place in the script."""
    return any(_RANGE.search(cause) or _POINT.search(cause) for cause in causes(trace))


def _message(trace: str, told: list[str]) -> str:
    if match := _FACTORY.search(trace):
        catalog = "catalog" if (match[3] or "").endswith(".CatalogFactory") else "connector"
        kind = "format" if match[1] else catalog
        present = ", ".join(name for name in sorted((match[4] or "").split()) if not name.startswith(_INTERNAL))
        words = (f"{kind} '{match[2]}' is not installed", advice(match[2]), present and f"present: {present}")
        return "; ".join(filter(None, words))
    valued = [cause for cause in told if _VALUE.search(cause)]
    root = _folded((valued or told)[-1]) if told else trace[:_LIMIT]
    return _PLACE.sub("", root).strip()[:_LIMIT]


def _folded(cause: str) -> str:
    """A message of several lines as one, up to the lists of everything that would have been possible."""
    kept: list[str] = []
    for line in cause.splitlines():
        if line.startswith(_LISTS) and kept:
            break
        kept.append(line.strip())
    return " ".join(filter(None, [said("\n".join(kept[:1])), *kept[1:]]))


def _at_literal(parts: Sequence[Statement], value: str, lines: Lines, message: str) -> Problem | None:
    """A problem of a literal, in the first statement that has it."""
    for part in parts:
        offset = literal(part.text, value)
        if offset is not None:
            line, column = lines.move(part, offset)
            return Problem(line, column, line, column + len(value) + 1, message)
    return None


def _at_name(part: Statement, name: str, lines: Lines, message: str) -> Problem | None:
    """A problem of a table that a statement names, as it is written there: alone, or behind its database."""
    found = re.search(rf"(?:[\w$`]+\s*\.\s*)*`?(?<![\w$]){re.escape(name)}(?![\w$])`?", part.code)
    if found is None:
        return None
    line, column = lines.move(part, found.start())
    return Problem(line, column, line, column + len(found[0]) - 1, message)
