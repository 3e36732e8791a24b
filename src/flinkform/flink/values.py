"""The values that cross the door to Flink; frozen, and free of anything Java."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple


class Phase(StrEnum):
    """What a Flink job is doing, in seven words; the REST has eleven and hides whether tasks run.

    STARTING covers INITIALIZING, CREATED, and RUNNING with tasks that are not up yet.
    FINISHED is also what Flink says of a job that was stopped with a savepoint.
    """

    STARTING = "STARTING"
    RUNNING = "RUNNING"
    RESTARTING = "RESTARTING"
    STOPPING = "STOPPING"
    FINISHED = "FINISHED"
    CANCELED = "CANCELED"
    FAILED = "FAILED"

    @property
    def final(self) -> bool:
        """The job holds no slots and will never run again under its id."""
        return self in (Phase.FINISHED, Phase.CANCELED, Phase.FAILED)


@dataclass(frozen=True, slots=True)
class Program:
    """A program whose main() makes a job: *jars* are files, its own first, then those it needs.

    *entry* is the class of main(); empty leaves it to the jar's manifest.
    """

    jars: tuple[Path, ...]
    entry: str = ""
    args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Submission:
    """One script, or one *program*, to be run as one Flink job.

    *id* is 32 hexadecimal digits chosen by the caller: Flink runs the job under it, so the
    same submission twice is one job. Directories are URIs or absolute paths. *restore* is a
    savepoint or a retained checkpoint; a job that is restored keeps its counts exactly.
    *options* are Flink options; those in the script's own SETs win over them. *plan* is a compiled plan as Flink
    reads it (`Plan.flink`): it is run in place of the script's INSERTs, the rest of the script is obeyed.
    """

    id: str
    name: str
    script: str
    checkpoint_dir: str
    savepoint_dir: str
    batch: bool = False
    parallelism: int = 1
    options: Mapping[str, str] = field(default_factory=dict)
    restore: str | None = None
    allow_non_restored: bool = False
    plan: str | None = None
    program: Program | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """A job as Flink sees it; *start* and *end* in milliseconds since the epoch, *end* is None while it runs.

    *changed* is when Flink last saw a task of it change: it moves at each restart, however short. *ending* is how many
    tasks were told to end and have not yet.
    """

    state: Phase
    start: int
    end: int | None
    tasks_running: int
    tasks_total: int
    changed: int = 0
    ending: int = 0


class Slots(NamedTuple):
    """Places for tasks in the cluster."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class SavepointStatus:
    """How far a savepoint is: *location* once it is done, *error* when it failed, neither while it is under way."""

    done: bool
    location: str | None = None
    error: str | None = None


class Part(StrEnum):
    """What part of a script a failure comes from."""

    NONE = "NONE"
    """None that could be named: memory, slots, state."""
    TABLE = "TABLE"
    """The definition of a table: where it is, how it is read."""
    QUERY = "QUERY"
    """An expression, in an INSERT or in a view it uses."""


@dataclass(frozen=True, slots=True)
class Clue:
    """What a failure tells of its place: the *part*, SQL *words* or the table's *option* it may stand at.

    *reads* are the tables that the task scans, *writes* those that its rows come to; it failed while *reading* or
    later. *said* is Flink's own text.
    """

    part: Part = Part.NONE
    words: tuple[str, ...] = ()
    option: str = ""
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    reading: bool = False
    said: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a job failed, for a person.

    *reason* in one sentence, the *vertex* it happened in, Flink's own *root* cause line, what to do, and the *times*
    of this failure and those before it, in milliseconds, as far back as Flink remembers. *line* of the script, which
    reads *excerpt*, is 0 where it cannot be told; `culprit` finds it by the *clue*.
    """

    reason: str
    root: str
    vertex: str | None = None
    advice: str = ""
    times: tuple[int, ...] = ()
    clue: Clue = field(default_factory=Clue)
    line: int = 0
    excerpt: str = ""

    def __str__(self) -> str:
        place = f" at line {self.line}, `{self.excerpt}`," if self.line else ""
        where = f" in {self.vertex}" if self.vertex else ""
        then = f"; {self.advice}" if self.advice else ""
        return f"{self.reason.rstrip('.')}{f'{place}{where}'.rstrip(',')}{then}"


@dataclass(frozen=True, slots=True)
class Death:
    """How a runtime ended: the *reason*, empty if from outside, and the jobs to suspect, the likeliest first."""

    reason: str
    suspects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a script and where; lines and columns count from 1, the end is included.

    Where Flink names no place it is the first character of the statement that failed. *passing*: the same script may
    have none when it is asked about again. *option*: the Flink option that it is about, which may be none of the
    script's own.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    message: str
    passing: bool = False
    option: str = ""

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a script makes, at its line and column: its options, and whether an INSERT reads or writes it."""

    name: str
    line: int
    column: int
    options: Mapping[str, str]
    reads: bool = False
    writes: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What a planner found in a script: everything that is wrong, and its tables as far as it could plan."""

    problems: tuple[Problem, ...]
    tables: tuple[Table, ...] = ()
