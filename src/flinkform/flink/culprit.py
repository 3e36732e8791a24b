"""Finds the line of a script that a failed job failed on, where that can be told for sure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flinkform.flink.sql import Lines, Statement, inner, literal, literals, statements, without_mark, words
from flinkform.flink.values import Clue, Diagnosis, Part

_NAME = r"((?:`[^`]+`|\w+)(?:\s*\.\s*(?:`[^`]+`|\w+))*)"
_KINDS = {
    "table": rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMPORARY\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}",
    "view": rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMPORARY\s+)?VIEW\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}",
    "insert": rf"INSERT\s+(?:INTO|OVERWRITE)\s+(?:TABLE\s+)?{_NAME}",
}
_PATTERNS = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _KINDS.items()}
_SCHEME = re.compile(r"scheme '(\w+)'")
_WIDTH = 80
_TELLING = 4
"""Characters that an option's value must have at least to be recognised in what Flink says."""

Place = tuple[int, int]
"""Line and column, from 1."""


@dataclass(frozen=True, slots=True)
class _Named:
    """A statement that makes or fills something; *name* is the last part of its name."""

    kind: str
    name: str
    statement: Statement

    @property
    def start(self) -> Place:
        return self.statement.line, self.statement.column


def traced(told: Diagnosis, script: str) -> Diagnosis:
    """The diagnosis with the line it is about; as it was where several could be meant."""
    source = Source(without_mark(script))
    place = source.find(told.clue)
    if place is None:
        return told
    excerpt = " ".join(source.text.splitlines()[place[0] - 1].split())
    return replace(told, line=place[0], excerpt=excerpt if len(excerpt) <= _WIDTH else excerpt[: _WIDTH - 3] + "...")


class Source:
    """A script, and where in it a failure may come from."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._lines = Lines(text)
        self._parts = tuple(self._read())

    def find(self, clue: Clue) -> Place | None:
        if clue.part is Part.TABLE:
            return self._table(clue)
        return self._query(clue) if clue.part is Part.QUERY else None

    def _read(self) -> Iterator[_Named]:
        for whole in statements(self.text):
            for part in inner(whole, self._lines) or [whole]:
                for kind, pattern in _PATTERNS.items():
                    if match := pattern.match(part.code):
                        yield _Named(kind, match[1].split(".")[-1].strip(" `\n\t"), part)

    def _of(self, kind: str, names: Sequence[str] = ()) -> list[_Named]:
        return [part for part in self._parts if part.kind == kind and (not names or part.name in names)]

    def _table(self, clue: Clue) -> Place | None:
        """The one line with an option's value that Flink repeats, else the option that such failures are about."""
        known = self._of("table", clue.reads if clue.reading else ())
        repeated = [place for part in known for place in self._repeated(part.statement, clue.said)]
        if repeated:
            return repeated[0] if len({line for line, _ in repeated}) == 1 else None
        names = clue.reads if clue.reading else clue.writes
        meant = self._of("table", names) if names else []
        if len(meant) != 1:
            return None
        offset = literal(meant[0].statement.text, clue.option)
        return meant[0].start if offset is None else self._lines.move(meant[0].statement, offset)

    def _repeated(self, statement: Statement, said: str) -> Iterator[Place]:
        schemes = tuple(f"{scheme}://" for scheme in _SCHEME.findall(said))
        for value in literals(statement.text):
            bare = value.removeprefix("file://").removeprefix("file:").rstrip("/")
            known = len(bare) >= _TELLING and not bare.isalnum() and bare in said
            if known or value.startswith(schemes):
                offset = literal(statement.text, value)
                if offset is not None:
                    yield self._lines.move(statement, offset)

    def _query(self, clue: Clue) -> Place | None:
        """The one line that has the words in question, else the one statement that it can be."""
        inserts = self._of("insert", clue.writes) or self._of("insert")
        scope = self._used(inserts)
        hits = [
            (part, offset) for part in scope for offset, word in words(part.statement) if word.upper() in clue.words
        ]
        places = sorted(self._lines.move(part.statement, offset) for part, offset in hits)
        if len({line for line, _ in places}) == 1:
            return places[0]
        guilty = {part.start for part, _ in hits} or {part.start for part in inserts}
        return guilty.pop() if len(guilty) == 1 else None

    def _used(self, inserts: Sequence[_Named]) -> list[_Named]:
        """Statements, and the views that they read, and the views that those read."""
        views = {part.name: part for part in self._of("view")}
        found = list(inserts)
        for part in found:
            for _, word in words(part.statement):
                if word in views and views[word] not in found:
                    found.append(views[word])
        return found
