"""A script with the files that it includes and the values that its variables stand for, every character with its place.

`-- flinkform: include PATH` on a line of its own stands for a file that ends with `.inc`; PATH is seen from the file
that names it, or with a `/` in front from the folder of jobs. `${name}` stands for a variable, in a string with its
quotes doubled; `$${name}` is the text `${name}`. In comments nothing stands for anything, and what only looks like
either (`${secret_values.name}`, `${`, `%{`) is left as it is.
"""

from __future__ import annotations

import posixpath
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from flinkform.errors import Invalid, Position
from flinkform.jobfile.places import Lines

INCLUDED = ".inc"
"""How the names of files end that scripts include, and that are no jobs."""
LIMIT = 1024 * 1024
"""Bytes that a script may have, with all that it includes."""
NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
"""What a variable is called."""
_DEEP = 8
_MANY = 200
_MARK = re.compile(rf"(?P<lead>\$?)\$\{{(?P<name>{NAME.pattern})\}}", re.ASCII)
_ANY = re.compile(rf"\$\{{{NAME.pattern}\}}|flinkform:[ \t]*include", re.ASCII)
_TOKEN = re.compile(
    rf"""(?P<include>^[ \t]*--[ \t]*flinkform:[ \t]*include(?![^ \t\r\n])[ \t]*(?P<path>[^\r\n]*)(?:\r\n|\r|\n|\Z))
    |(?P<comment>--[^\r\n]*|//[^\r\n]*|/\*(?!\+)(?s:.)*?\*/)
    |(?P<string>'(?:[^']|'')*+'?|`(?:[^`]|``)*+`?)
    |(?P<mark>{_MARK.pattern})""",
    re.ASCII | re.VERBOSE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Text from *start* on comes from *file*, from *at* on; a *fixed* one stands for what is at *at*."""

    start: int
    file: str
    at: int
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Woven:
    """The *text* that Flink gets of the script in *file*; *included* are paths, *used* the variables in it."""

    text: str
    file: str
    pieces: tuple[Piece, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    """What each file has that is part of it."""
    included: tuple[str, ...] = ()
    used: frozenset[str] = frozenset()

    def place(self, line: int, column: int) -> Position:
        """Return where its author wrote what is at *line* and *column* of the text."""
        if not self.pieces:
            return Position(self.file, line, column)
        return self.origin(Lines(self.text, self.file).offset(line, column))

    def origin(self, offset: int) -> Position:
        """Return where its author wrote what is at *offset* of the text."""
        if not self.pieces:
            return Lines(self.text, self.file).place(offset)
        piece = self.pieces[max(0, bisect_right(self.pieces, offset, key=lambda one: one.start) - 1)]
        at = piece.at + (0 if piece.fixed else offset - piece.start)
        return Lines(self.texts[piece.file], piece.file).place(at)

    def line(self, place: Position) -> str:
        """Return the line that *place* is in, as its author wrote it; '' where it is in none of these files."""
        text = self.texts.get(place.file, self.text if place.file == self.file else "")
        return Lines(text, place.file).line(place.line)


@dataclass(frozen=True, slots=True)
class Source:
    """Where scripts come from: what a path is called, what files there are, and how one is read as text."""

    shown: Callable[[str], str]
    files: Collection[str]
    read: Callable[[str], str]


def weave(text: str, path: str, source: Source, variables: Mapping[str, str]) -> Woven:
    """Return the script *text* at *path* with all it names. Invalid: at the place of what cannot be."""
    file = source.shown(path)
    if not _ANY.search(text):
        return Woven(text, file)
    loom = _Loom(source, variables)
    loom.add(path, text)
    return Woven(
        "".join(loom.parts),
        file,
        tuple(loom.pieces),
        loom.texts,
        tuple(dict.fromkeys(loom.included)),
        frozenset(loom.used),
    )


def whole(text: str) -> bool:
    """Say whether a script is what Flink gets as it stands."""
    return not any(
        found["include"] or (not found["comment"] and _MARK.search(found[0])) for found in _TOKEN.finditer(text)
    )


def escaped(text: str) -> str:
    """Return the script that becomes *text*, in which nothing stands for anything. Invalid: no script does."""

    def keep(found: re.Match[str]) -> str:
        if found["include"]:
            raise Invalid(
                f"expected no line of flinkform's own, got {found[0].strip()!r}", advice="remove that comment"
            )
        return found[0] if found["comment"] else _MARK.sub(lambda mark: f"${mark[0]}", found[0])

    return _TOKEN.sub(keep, text)


@dataclass(slots=True)
class _Loom:
    """Puts one script together; *above* are the files that are being read, the script first."""

    source: Source
    variables: Mapping[str, str]
    parts: list[str] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    included: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    above: list[str] = field(default_factory=list)
    length: int = 0

    def add(self, path: str, text: str) -> None:
        """Take in a file, and what it includes."""
        file, done = self.source.shown(path), 0
        self.texts[file] = text
        self.above.append(path)
        for token in _TOKEN.finditer(text):
            if token["include"]:
                self._keep(file, text, done, token.start())
                self._include(path, text, token)
                done = token.end()
                continue
            quote = text[token.start()] if token["string"] else ""
            for mark in () if token["comment"] else _MARK.finditer(text, *token.span()):
                self._keep(file, text, done, mark.start())
                done = mark.end()
                if mark["lead"]:
                    self._keep(file, text, mark.start() + 1, done)
                else:
                    self._put(self._value(file, text, mark, quote), Piece(self.length, file, mark.start(), fixed=True))
        self._keep(file, text, done, len(text))
        self.above.pop()

    def _keep(self, file: str, text: str, start: int, end: int) -> None:
        if start < end:
            self._put(text[start:end], Piece(self.length, file, start))

    def _put(self, text: str, piece: Piece) -> None:
        self.parts.append(text)
        self.pieces.append(piece)
        self.length += len(text)

    def _value(self, file: str, text: str, mark: re.Match[str], quote: str) -> str:
        name = mark["name"]
        if name not in self.variables:
            known = f"there are {', '.join(sorted(self.variables))}" if self.variables else "there are none"
            raise Invalid(
                f"nothing says what ${{{name}}} stands for; {known}",
                at=("variables", name),
                position=Lines(text, file).place(mark.start()),
                advice=f"set it under variables, or write $${{{name}}} for the text itself",
            )
        self.used.add(name)
        value = self.variables[name]
        return value.replace(quote, quote * 2) if quote else value

    def _include(self, path: str, text: str, token: re.Match[str]) -> None:
        place = Lines(text, self.source.shown(path)).place(token.start("path"))
        found = self._found(path, token["path"].strip(), place)
        self.included.append(found)
        self.add(found, self.source.read(found).removeprefix(chr(0xFEFF)))
        if self.length > LIMIT:
            raise Invalid(f"expected at most {LIMIT:,} characters with all that is included, got more", position=place)
        if self.parts and not self.parts[-1].endswith(("\n", "\r")):
            self._put("\n", Piece(self.length, self.source.shown(path), token.start("path"), fixed=True))

    def _found(self, path: str, said: str, place: Position) -> str:
        """Return the path of the file that an include names."""
        below = "" if said.startswith("/") else posixpath.dirname(path)
        found = posixpath.normpath(posixpath.join(below, said.lstrip("/")))
        message, advice = "", ""
        if not said.endswith(INCLUDED):
            message, advice = (
                f"expected a file that ends with {INCLUDED}, got {said!r}",
                "a .sql file is a job by itself",
            )
        elif found.startswith("../"):
            message, advice = f"{said} leaves the folder of jobs", "put what jobs share below jobs/"
        elif found in self.above:
            message = f"a circle: {' includes '.join([*self.above[self.above.index(found) :], found])}"
        elif found not in self.source.files:
            message, advice = f"there is no file {self.source.shown(found)}", "paths are from the file that names them"
        elif len(self.above) > _DEEP:
            message = f"expected at most {_DEEP} levels of includes, got more"
        elif len(self.included) >= _MANY:
            message = f"expected at most {_MANY} includes in a script, got more"
        if message:
            raise Invalid(message, at=("sql",), position=place, advice=advice)
        return found
