"""What the rules look at: the jobs, what is known of their tables, and what the repository says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from flinkform.errors import Position
from flinkform.flink.values import Table
from flinkform.jobfile import Job, Settings
from flinkform.jobfile.owners import Codeowners
from flinkform.jobfile.weave import Woven


@dataclass(frozen=True, slots=True)
class World:
    """A repository as the rules see it; *folder* is how a person would name the folder of jobs.

    *chosen* are the jobs that are checked. *tables* are, by path, of these that Flink takes and of every job that
    shares a place with one. *named* are the names of places whose use is known whole; `None` for all.
    """

    folder: str
    chosen: tuple[Job, ...]
    settings: Settings = field(default_factory=Settings)
    owners: Codeowners | None = None
    tables: Mapping[str, tuple[Table, ...]] = field(default_factory=dict)
    named: frozenset[str] | None = None
    scripts: Mapping[str, Woven] = field(default_factory=dict)
    """Where each part of a job's script was written, by path."""

    def place(self, path: str, line: int, column: int) -> Position:
        """Return where the author of the job at *path* wrote what Flink sees at *line* and *column*."""
        woven = self.scripts.get(path)
        return woven.place(line, column) if woven else Position(f"{self.folder}/{path}", line, column)

    def start(self, job: Job, line: int = 1, column: int = 1) -> Position:
        """Return a place in a job's file."""
        return Position(f"{self.folder}/{job.path}", line, column)

    @property
    def style(self) -> re.Pattern[str]:
        return re.compile(self.settings.names)
