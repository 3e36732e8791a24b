"""What a person sees while something takes longer than a second: a line when a step starts, one when it ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
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
    """Steps on stderr, so that stdout stays a script's; one that is silent for *patience* seconds shows its time."""

    out: TextIO = field(default_factory=lambda: sys.stderr)
    clock: Callable[[], float] = time.monotonic
    patience: float = 3.0
    _spoke: Event = field(default_factory=Event)

    @contextmanager
    def step(self, name: str) -> Iterator[Step]:
        """Announce *name*, and say how it ended and how long it took."""
        started, ended = self.clock(), Event()
        self._line(f"> {name} ...")
        step = Step(name, self._line)
        watch = Thread(target=self._watch, args=(step, started, ended), daemon=True)
        watch.start()
        try:
            yield step
        except BaseException:
            self._end(watch, ended, f"x {name} ({self.clock() - started:.1f} s)")
            raise
        self._end(watch, ended, f"+ {name}: {step.result} ({self.clock() - started:.1f} s)")

    def _watch(self, step: Step, started: float, ended: Event) -> None:
        """Show that *step* goes on, whenever it was silent for a while."""
        while not ended.wait(self.patience):
            if not self._spoke.is_set():
                step.say(f"{self.clock() - started:.0f} s")
            self._spoke.clear()

    def _end(self, watch: Thread, ended: Event, text: str) -> None:
        ended.set()
        watch.join()
        self._line(text)

    def _line(self, text: str) -> None:
        self._spoke.set()
        self.out.write(text + "\n")
        self.out.flush()


@dataclass(slots=True)
class Pace:
    """How far something has come that consists of *total* equal parts, and when it will have come to its end."""

    total: int
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    began: float = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.clock()

    def more(self) -> str:
        """Count one part more, and return `3 of 12, 1.5/s, 6 s left`."""
        self.done += 1
        rate = self.done / max(self.clock() - self.began, 1e-3)
        left = max(self.total - self.done, 0) / rate
        return f"{self.done} of {self.total}, {rate:.2g}/s, {left:.0f} s left"


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
