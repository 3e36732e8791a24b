"""What a person sees while something takes longer than a second: a line when a step starts, one when it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Step:
    """A step under way; `say` shows where it is, `result` is what its last line says."""

    name: str
    show: Callable[[str], None]
    result: str = "done"

    def say(self, text: str) -> None:
        self.show(f"  {self.name}: {text}")


@dataclass(slots=True)
class Progress:
    """Steps on stderr, so that stdout stays a script's."""

    out: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Announce *name*, and say how it ended and how long it took."""
        started = self.clock()
        self._line(f"> {name} ...")
        step = Step(name, self._line)
        try:
            yield step
        except BaseException:
            self._line(f"x {name} ({self.clock() - started:.1f} s)")
            raise
        self._line(f"+ {name}: {step.result} ({self.clock() - started:.1f} s)")

    def _line(self, text: str) -> None:
        self.out.write(text + "\n")
        self.out.flush()


def counted(number: int, noun: str) -> str:
    """Return `1 job`, `2 jobs`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def table(rows: list[dict[str, str]], columns: tuple[str, ...]) -> str:
    """Return *rows* as aligned text under upper-case headings."""
    heads = {c: c.replace("_", " ").upper() for c in columns}
    wide = {c: max(len(heads[c]), *(len(r.get(c) or "-") for r in rows)) if rows else len(heads[c]) for c in columns}
    lines = ["  ".join(heads[c].ljust(wide[c]) for c in columns)]
    lines += ["  ".join((r.get(c) or "-").ljust(wide[c]) for c in columns) for r in rows]
    return "\n".join(line.rstrip() for line in lines)
