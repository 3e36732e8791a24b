"""Comments by which a job file says that it breaks a rule on purpose, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flinkform.errors import Position
from flinkform.flink.sql import comments
from flinkform.rules.finding import Finding
from flinkform.rules.table import BY_ID, RULES

_MARK = re.compile(r"flinkform:(?P<rest>.*)", re.DOTALL)
_ALLOW = re.compile(r"\s*allow\s+(?P<rule>[\w-]+)(?:\s+because\s+(?P<reason>\S.*?))?\s*", re.DOTALL)
_YAML = re.compile(r"(?:^|[ \t])#[ \t]*(flinkform:.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Silence:
    """One comment of a *job*'s file: which rule may be broken there, and why; both '' where it does not say so."""

    job: str
    position: Position
    rule: str
    reason: str


def silences(job: str, file: str, text: str) -> Iterator[Silence]:
    """Yield what the comments of a script, or of a YAML file, allow."""
    found = comments(text) if file.endswith(".sql") else _yaml(text)
    for line, column, said in found:
        if mark := _MARK.match(said):
            allow = _ALLOW.fullmatch(mark["rest"])
            rule, reason = (allow["rule"], allow["reason"] or "") if allow else ("", "")
            yield Silence(job, Position(file, line, column), rule, reason)


def settled(found: Iterable[Finding], said: Iterable[Silence], judged: frozenset[tuple[str, str]]) -> Iterator[Finding]:
    """Yield what no silence covers, and what is wrong with the silences; *judged* are jobs and rules looked at."""
    everything, given = list(found), list(said)
    good = [one for one in given if not _wrong(one)]
    covered = {(one.job, one.rule) for one in good}
    broken = {(one.job, one.id) for one in everything}
    yield from (one for one in everything if (one.job, one.id) not in covered)
    for one in given:
        if wrong := _wrong(one):
            yield Finding(one.position, wrong, id="silence-reason", job=one.job)
        elif (one.job, one.rule) in judged - broken:
            message = f"{one.rule} is allowed here, and nothing breaks it"
            yield Finding(one.position, message, id="silence-unused", job=one.job)


def _wrong(silence: Silence) -> str:
    rule = BY_ID.get(silence.rule)
    if rule is None or rule.firm:
        names = ", ".join(one.id for one in RULES if not one.firm)
        return f"expected `flinkform: allow RULE because REASON` with one of {names}"
    return "" if silence.reason else f"{rule.id} is allowed here without a reason; expected `because REASON`"


def _yaml(text: str) -> Iterator[tuple[int, int, str]]:
    for found in _YAML.finditer(text):
        start = text.rfind("\n", 0, found.start(1)) + 1
        yield text.count("\n", 0, found.start(1)) + 1, text.index("#", found.start()) - start + 1, found[1].strip()
