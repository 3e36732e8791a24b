"""Offsets in a text to lines and columns, as editors count them."""

from __future__ import annotations

import re
from bisect import bisect_right

from flinkform.errors import Position

_NEWLINE = re.compile(r"\r\n|\r|\n")


class Lines:
    """The lines of *text*, which is all of *file* or its beginning; a byte order mark takes no column."""

    def __init__(self, text: str, file: str) -> None:
        self._file, self._text, self._length = file, text, len(text)
        first = 1 if text.startswith("\ufeff") else 0
        self._starts = [first, *(found.end() for found in _NEWLINE.finditer(text))]

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a place; beyond its line, or the text, it is the nearest in it."""
        index = min(max(line, 1), len(self._starts)) - 1
        end = self._starts[index + 1] - 1 if index + 1 < len(self._starts) else self._length
        return min(self._starts[index] + max(column, 1) - 1, end)

    def line(self, number: int) -> str:
        """Return a line without its end; '' where there is none of that number."""
        if not 1 <= number <= len(self._starts):
            return ""
        ends = [*self._starts[1:], self._length]
        return self._text[self._starts[number - 1] : ends[number - 1]].rstrip("\r\n")

    def place(self, offset: int) -> Position:
        line = max(1, bisect_right(self._starts, offset))
        return Position(self._file, line, max(1, offset - self._starts[line - 1] + 1))


def after(text: str, file: str) -> Position:
    """Return the place of what follows *text*, which begins *file*."""
    return Lines(text, file).place(len(text))
