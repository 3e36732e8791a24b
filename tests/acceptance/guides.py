"""The guides as what a reader types: the commands of a page, with what is said about those that nobody follows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GUIDES = Path(__file__).parents[2] / "docs" / "guides"
_BLOCK = re.compile(
    r"(?:^<!-- not followed: (?P<why>[^\n]*?) -->\n)?^ *```(?P<kind>sh|console)\n(?P<text>.*?)^ *```",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Command:
    """One line to type, and the lines that the guide says it prints; *why* it is not followed, '' if it is."""

    line: str
    prints: tuple[str, ...] = ()
    why: str = ""


def commands(guide: str) -> Iterator[Command]:
    """Yield the commands of a guide, in its order: lines of `sh`, lines with a `$` of `console`."""
    for block in _BLOCK.finditer((GUIDES / guide).read_text()):
        rows = [row for row in block["text"].splitlines() if row.strip()]
        if block["kind"] == "sh":
            yield from (Command(row, why=block["why"] or "") for row in rows)
            continue
        starts = [at for at, row in enumerate(rows) if row.startswith("$ ")]
        for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
            yield Command(rows[start][2:], tuple(rows[start + 1 : end]), block["why"] or "")
