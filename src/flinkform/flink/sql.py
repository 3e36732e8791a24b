"""Where the statements of a script begin and end, and nothing more: only Flink may refuse SQL."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

# What Flink's lexer treats as one piece. A hint (`/*+`) is code to Flink, so it is no comment here; an
# unclosed quote or comment runs to the end, and Flink says so.
_PIECE = re.compile(
    r"""
      (?P<comment> (?:--|//)[^\r\n]* | /\*(?!\+).*?\*/ )
    | (?P<open> /\*(?!\+).* )
    | (?P<literal> '(?:[^']|'')*(?:'|\Z) | `(?:[^`]|``)*(?:`|\Z) | "(?:[^"]|"")*(?:"|\Z) )
    | (?P<word> [^\W\d]\w* )
    | (?P<end> ; )
    | (?P<space> \s+ )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_NEWLINE = re.compile(r"\r\n|\r|\n")
_MODE = re.compile(r"SET\s+'?execution\.runtime-mode'?\s*=\s*'?(\w+)'?\s*", re.IGNORECASE)
_SET = re.compile(r"(?:SET|RESET)\b", re.IGNORECASE)
_BLOCK = ("STATEMENT", "SET", "BEGIN")
_OPENING = re.compile(r"EXECUTE\s+STATEMENT\s+SET\s+BEGIN\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a script, without its semicolon; *line* and *column* of its first character count from 1.

    `EXECUTE STATEMENT SET BEGIN … END` is one statement. In `BEGIN STATEMENT SET; …; END;` each part is,
    because Flink's parser takes them one by one.
    """

    text: str
    code: str
    """The text with every comment made blank; same length."""
    line: int
    column: int


class Lines:
    """The lines of a script, to turn Flink's positions (UTF-16 units) into characters and back."""

    def __init__(self, script: str) -> None:
        self._script = script
        self._starts = [0, *(match.end() for match in _NEWLINE.finditer(script))]

    def place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def move(self, statement: Statement, offset: int) -> tuple[int, int]:
        """The place of a character of a statement's text."""
        return self.place(self._starts[statement.line - 1] + statement.column - 1 + offset)

    def units(self, line: int, column: int) -> int:
        """UTF-16 units before a character of a line."""
        start = self._starts[line - 1]
        return _units(self._script[start : start + column - 1])

    def column(self, line: int, unit: int) -> int:
        """The column, in characters, that Flink calls *unit*; past the end of the line stays past it."""
        if not 1 <= line <= len(self._starts):
            return unit
        end = self._starts[line] if line < len(self._starts) else len(self._script)
        seen = 0
        for column, char in enumerate(self._script[self._starts[line - 1] : end], 1):
            seen += _units(char)
            if seen >= unit:
                return column
        return unit


def statements(script: str) -> list[Statement]:
    """Split at the semicolons that end statements; stretches of blanks and comments are dropped.

    A byte order mark at the very beginning is no part of the first statement and takes no column.
    """
    script = without_mark(script)
    lines = Lines(script)
    found = []
    for start, end in _cuts(script):
        code = _uncommented(script[start:end])
        first = len(code) - len(code.lstrip())
        if first < len(code):
            last = len(code.rstrip())
            line, column = lines.place(start + first)
            found.append(Statement(script[start:end][first:last], code[first:last], line, column))
    return found


def inner(block: Statement, lines: Lines) -> list[Statement]:
    """The statements within `EXECUTE STATEMENT SET BEGIN … END`; none of any other statement."""
    opening = _OPENING.match(block.code)
    if not opening:
        return []
    found = []
    for start, end in _ends(block.code, opening.end()):
        code = block.code[start:end]
        first, last = start + len(code) - len(code.lstrip()), start + len(code.rstrip())
        line, column = lines.move(block, first)
        found.append(Statement(block.text[first:last], block.code[first:last], line, column))
    return [part for part in found if part.code and part.code.upper() != "END"]


def without_mark(script: str) -> str:
    return script.removeprefix("\ufeff")


def padded(statement: Statement, lines: Lines) -> str:
    """The statement with the lines and blanks that stand before it, so that Flink's positions are the script's."""
    return "\n" * (statement.line - 1) + " " * lines.units(statement.line, statement.column) + statement.text


def batch(parts: list[Statement], *, default: bool) -> bool:
    """Whether the leading SETs make this a batch job; Flink wants to know before it reads anything."""
    for part in parts:
        if match := _MODE.fullmatch(part.code):
            return match[1].upper() == "BATCH"
        if not _SET.match(part.code):
            break
    return default


def words(statement: Statement) -> Iterator[tuple[int, str]]:
    """What a statement is made of but for strings and blanks, and where each begins; names without backquotes."""
    for piece in _PIECE.finditer(statement.code):
        if piece.lastgroup != "space" and not piece[0].startswith("'"):
            yield piece.start(), piece[0].strip("`")


def literals(script: str) -> set[str]:
    """The value of every string literal."""
    pieces = (piece[0] for piece in _PIECE.finditer(script) if piece.lastgroup == "literal")
    return {_value(piece) for piece in pieces if piece.startswith("'")}


def mentions(script: str, pattern: re.Pattern[str]) -> Iterator[tuple[re.Match[str], bool]]:
    """Yield what matches outside of comments, and whether it stands in a string of a statement that is no SET."""
    for start, end in _cuts(script):
        code = script[:start] + _uncommented(script[start:end])
        found = list(pattern.finditer(code, start))
        free = found and not _SET.match(without_mark(code[start:]).lstrip())
        spans = [p.span() for p in _PIECE.finditer(script, start, end) if p[0].startswith("'")] if free else []
        for match in found:
            yield match, any(first < match.start() and match.end() < last for first, last in spans)


def _value(piece: str) -> str:
    return piece[1:-1].replace("''", "'")


def pairs(script: str) -> Iterator[tuple[str, str]]:
    """Yield what stands on both sides of each `'name' = 'value'`."""
    before: tuple[str, ...] = ("", "")
    for piece in _PIECE.finditer(script):
        if piece.lastgroup not in ("comment", "space"):
            if before[1] == "=" and before[0].startswith("'") and piece[0].startswith("'"):
                yield _value(before[0]), _value(piece[0])
            before = (before[1], piece[0])


def comments(script: str) -> Iterator[tuple[int, int, str]]:
    """Yield line, column and text of every comment, without its marks."""
    script = without_mark(script)
    lines = Lines(script)
    for piece in _PIECE.finditer(script):
        if piece.lastgroup == "comment":
            yield *lines.place(piece.start()), piece[0].removesuffix("*/")[2:].strip()


def literal(text: str, value: str) -> int | None:
    """Where a string literal stands in a statement's text."""
    wanted = "'" + value.replace("'", "''") + "'"
    for piece in _PIECE.finditer(text):
        if piece.lastgroup == "literal" and piece[0] == wanted:
            return piece.start()
    return None


def _cuts(script: str) -> Iterator[tuple[int, int]]:
    """Where each statement starts and ends.

    After the words STATEMENT SET BEGIN a semicolon ends nothing until a statement that begins with END.
    """
    start, block, fresh = 0, False, False
    words: tuple[str, ...] = ()
    for piece in _PIECE.finditer(script):
        if piece.lastgroup in ("comment", "space"):
            continue
        if piece.lastgroup == "end":
            if not block:
                yield start, piece.start()
                start, words = piece.end(), ()
            fresh = True
            continue
        word = piece[0].upper() if piece.lastgroup == "word" else ""
        if block and fresh and word == "END":
            block = False
        words = (*words, word)[-3:]
        block = block or words == _BLOCK
        fresh = words == _BLOCK
    yield start, len(script)


def _ends(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Where each piece between semicolons starts and ends, from *start* on."""
    for piece in _PIECE.finditer(text, start):
        if piece.lastgroup == "end":
            yield start, piece.start()
            start = piece.end()
    yield start, len(text)


def _uncommented(text: str) -> str:
    def blank(piece: re.Match[str]) -> str:
        return re.sub(r"[^\r\n]", " ", piece[0]) if piece.lastgroup == "comment" else piece[0]

    return _PIECE.sub(blank, text)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
