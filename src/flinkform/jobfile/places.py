"""Offsets in a text to lines and columns, as editors count them."""

from __future__ import annotations

import re
from bisect import bisect_right

from flinkform.errors import Position

_NEWLINE = re.compile(r"\r\n|\r|\n")


class Lines:
    """The lines of *text*, which is all of *file* or its beginning; a byte order mark takes no column."""

    def __init__(self, text: str, file: str) -> None:
        self._file = file
        first = 1 if text.startswith("\ufeff") else 0
        self._starts = [first, *(found.end() for found in _NEWLINE.finditer(text))]

    def place(self, offset: int) -> Position:
        line = max(1, bisect_right(self._starts, offset))
        return Position(self._file, line, max(1, offset - self._starts[line - 1] + 1))


def after(text: str, file: str) -> Position:
    """Return the place of what follows *text*, which begins *file*."""
    return Lines(text, file).place(len(text))
