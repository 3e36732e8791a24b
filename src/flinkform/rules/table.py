"""Every rule as data: what it is called, what it wants, how bad a breach is, and how to mend one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a breach is: an error fails the check, a warning is told, *off* is not looked for."""

    ERROR = "error"
    WARNING = "warning"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; a *firm* one can neither be silenced nor turned down."""

    id: str
    title: str
    severity: Severity
    mend: str
    firm: bool = False


RULES = (
    Rule(
        "job-file",
        "Job files, defaults and the environment hold what they may",
        Severity.ERROR,
        "do as the message says; `provider-schema/job.schema.json` has every key for your editor",
        firm=True,
    ),
    Rule(
        "flink",
        "Flink's planner takes the script",
        Severity.ERROR,
        "do as Flink's own message says; the place is the one it names",
        firm=True,
    ),
    Rule(
        "job-name",
        "The folders and the file of a job are called as `names` in flinkform.yaml says",
        Severity.WARNING,
        "rename the file before its job runs: a path is a job's identity; or silence it for a job that runs already",
    ),
    Rule(
        "job-owner",
        "Where there is a CODEOWNERS, somebody owns each job in it",
        Severity.ERROR,
        "add a line for the job's folder to CODEOWNERS; in a file with sections any section will do",
    ),
    Rule(
        "table-writer",
        "What a job reads is written by a job, or comes from outside",
        Severity.ERROR,
        "correct the topic, path or table; or name what others write under `outside` in flinkform.yaml",
    ),
    Rule(
        "single-writer",
        "No two jobs write to one place",
        Severity.ERROR,
        "write from one job, or to two places; jobs that are meant to share one say so, each with a reason",
    ),
    Rule(
        "silence-reason",
        "A silence names one rule and says why",
        Severity.ERROR,
        "write `flinkform: allow RULE because REASON`, with a rule of this page that is not firm",
        firm=True,
    ),
    Rule(
        "silence-unused",
        "A silence keeps something silent",
        Severity.ERROR,
        "remove the comment: the job does not break the rule",
        firm=True,
    ),
)
BY_ID = {rule.id: rule for rule in RULES}
