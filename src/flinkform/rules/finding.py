"""One thing that is wrong in one file, as a person and as a program want to hear of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flinkform.errors import Position
from flinkform.rules.table import BY_ID, Rule, Severity


@dataclass(frozen=True, slots=True)
class Finding:
    """A breach of a rule; *line* is the text of the line it begins in, where that is known, *job* whose it is."""

    position: Position
    message: str
    line: str = ""
    id: str = "job-file"
    job: str = ""
    severity: Severity = Severity.ERROR

    @property
    def rule(self) -> Rule:
        return BY_ID[self.id]

    def __str__(self) -> str:
        return f"{self.position}: {self.message}"

    @property
    def told(self) -> str:
        """For a person at a terminal: with the rule, with the line, and a mark below the column."""
        level = "warning: " if self.severity is Severity.WARNING else ""
        name = "" if self.id in ("job-file", "flink") else f" [{self.id}]"
        head = f"{self.position}: {level}{self.message}{name}"
        if not self.line.strip():
            return head
        blank = "".join(c if c == "\t" else " " for c in self.line[: self.position.column - 1])
        return f"{head}\n    {self.line}\n    {blank}^"

    @property
    def object(self) -> dict[str, Any]:
        at = self.position
        place = {"file": at.file, "line": at.line, "column": at.column}
        return {**place, "message": self.message, "excerpt": self.line, "rule": self.id, "severity": self.severity}
