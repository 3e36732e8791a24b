"""The rules on names, owners and tables, and what is left of their findings behind settings and silences."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from flinkform.flink.places import Place, places
from flinkform.flink.values import Table
from flinkform.jobfile.globs import matches
from flinkform.jobfile.shape import stem
from flinkform.release.select import JOBS
from flinkform.rules.finding import Finding
from flinkform.rules.silence import Silence, settled
from flinkform.rules.table import BY_ID, RULES, Severity
from flinkform.rules.world import World

_OF_TABLES = ("table-writer", "single-writer")
_NAMED = 3
"""How many others a finding names."""


def check(world: World, silences: Iterable[Silence]) -> list[Finding]:
    """Return what breaks a rule that is not firm, and every silence that says nothing or is of nothing."""
    found = [*_names(world), *_owners(world), *_tables(world)]
    levels = world.settings.severities
    kept = (one for one in settled(found, silences, _judged(world)) if levels.get(one.id) != Severity.OFF)
    graded = [replace(one, severity=Severity(levels.get(one.id, BY_ID[one.id].severity))) for one in kept]
    return sorted(graded, key=lambda one: (one.position.file, one.position.line, one.position.column, one.message))


def _names(world: World) -> Iterator[Finding]:
    for job in world.chosen:
        odd = [part for part in stem(job.path).split("/") if not world.style.fullmatch(part)]
        if odd:
            message = f"expected a name like {world.settings.names}, got {odd[0]!r}"
            yield Finding(world.start(job), message, id="job-name", job=job.path)


def _owners(world: World) -> Iterator[Finding]:
    if world.owners is None:
        return
    for job in world.chosen:
        if not world.owners.owned(f"{JOBS}/{job.path}"):
            message = f"CODEOWNERS names nobody for {JOBS}/{job.path}"
            yield Finding(world.start(job), message, id="job-owner", job=job.path)


def _tables(world: World) -> Iterator[Finding]:
    """Yield tables that nobody writes, and places that more than one job writes to."""
    writers: dict[Place, list[str]] = defaultdict(list)
    for path, tables in world.tables.items():
        for place in {place for table in tables if table.writes for place in places(table)}:
            writers[place].append(path)
    for path, tables in world.tables.items():
        for table in tables:
            at = world.place(path, table.line, table.column)
            for place in places(table):
                if world.named is None or place[-1] in world.named:
                    yield from _table(world, Finding(at, "", job=path), table, place, writers[place])


def _table(world: World, here: Finding, table: Table, place: Place, writers: list[str]) -> Iterator[Finding]:
    if table.writes and (others := len(writers) - 1):
        # Of a place that hundreds share each would name hundreds.
        some = sorted(path for path in heapq.nsmallest(_NAMED + 1, writers) if path != here.job)[:_NAMED]
        more = [f"{others - len(some)} more"] if others > len(some) else []
        yield replace(here, message=f"{_told(place)} is written by {' and '.join(some + more)} too", id="single-writer")
    if table.reads and not writers and not _outside(world, place):
        yield replace(here, message=f"no job writes {_told(place)}, which is read here", id="table-writer")


def _judged(world: World) -> frozenset[tuple[str, str]]:
    """Return each job with each rule that it was held against: what its silences of that are for can be told."""
    soft = [rule.id for rule in RULES if not rule.firm]
    return frozenset(
        (job.path, rule) for job in world.chosen for rule in soft if rule not in _OF_TABLES or job.path in world.tables
    )


def _outside(world: World, place: Place) -> bool:
    return any(matches(glob, _told(place)) for glob in world.settings.outside)


def _told(place: Place) -> str:
    """Return a place as `outside` names it: `kafka:orders`, `filesystem:/data/orders`."""
    return f"{place[0]}:{place[-1]}"
