"""Flink's stack traces in words that tell a person what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flinkform.flink import catalogue
from flinkform.flink.values import Diagnosis

_CLASS = re.compile(r"^(?:Caused by: )?(?:[\w$]+\.)+([\w$]+)(?:: (.*))?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Failure:
    """A stack trace, the task that threw it, and the times of it and those before, in milliseconds."""

    trace: str
    vertex: str | None
    times: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of failure: what its trace holds, how to say it (with the pattern's groups), what to do.

    *installable*: the first group is what scripts call something that may be installed.
    """

    pattern: re.Pattern[str]
    reason: str
    advice: str
    installable: bool = False


def _family(pattern: str, reason: str, advice: str, *, installable: bool = False) -> Family:
    return Family(re.compile(pattern, re.DOTALL), reason, advice, installable)


# From the most to the least telling: the first that matches wins.
_FAMILIES = (
    _family(
        r"(?:Cannot map (?:checkpoint/)?savepoint state for operator|There is no operator for the state) ?(\w+)?",
        "the saved state holds an operator ({0}) that the new SQL does not have",
        "restore the previous SQL, or allow non-restored state to drop what no longer fits",
    ),
    _family(
        r"StateMigrationException(?:: ([^\n]*))?",
        "the saved state does not fit the new SQL",
        "restore the previous SQL, or start without state",
    ),
    _family(
        r"(?:Cannot find checkpoint or savepoint file/directory|Could not find checkpoint or savepoint) '?([^'\n]*)",
        "the savepoint or checkpoint {0} does not exist",
        "choose one that does, or start without state",
    ),
    _family(
        r"Cannot find meta data file '_metadata' in directory '([^']*)'",
        "{0} is not a complete savepoint or checkpoint",
        "choose one that is, or start without state",
    ),
    _family(
        r"Could not find any (?:format )?factory for identifier '([^']*)'",
        "connector or format '{0}' is not installed",
        "use one that is, or install it",
        installable=True,
    ),
    _family(
        r"NoResourceAvailableException|Could not acquire the minimum required resources",
        "there are not enough free slots",
        "stop other jobs, lower the parallelism, or raise the number of slots",
    ),
    _family(
        r"Insufficient number of network buffers",
        "the cluster has no network buffers left for the job's parallelism",
        "lower the parallelism or give Flink more network memory",
    ),
    _family(
        r"OutOfMemoryError(?:: ([^\n]*))?",
        "Flink ran out of memory ({0})",
        "give the JVM more heap, or look for state that only grows",
    ),
    _family(
        r"Column '([^']*)' is NOT NULL, however, a null value is being written",
        "a null was written into column {0}, which is NOT NULL",
        "filter nulls, or set table.exec.sink.not-null-enforcer to drop",
    ),
    _family(
        r"(?:Failed to deserialize|deserialize (?:JSON|CSV|Avro|consumer record)|Corrupt (?:Debezium|Canal|Maxwell))"
        r"[^\n]*",
        "a message could not be read in the table's format",
        "check the format, or skip such messages with its ignore-parse-errors option",
    ),
    _family(
        r"ArithmeticException: ([^\n]*)",
        "arithmetic failed ({0})",
        "guard the division, for instance with NULLIF",
    ),
    _family(
        r"(?:NumberFormatException|DateTimeException|DateTimeParseException|Cannot cast)[^\n]*",
        "a value could not be converted",
        "use TRY_CAST, which gives NULL instead",
    ),
    _family(
        r"(?:FileNotFoundException|NoSuchFileException):? ([^\n]*)",
        "a file is missing: {0}",
        "check the path",
    ),
    _family(
        r"UnsupportedFileSystemSchemeException: Could not find a file system implementation for scheme '([^']*)'",
        "no file system for {0}:// is installed",
        "install its plugin, or use a file:// path",
        installable=True,
    ),
    _family(
        r"(?:AccessDeniedException|Permission denied)[^\n]*",
        "access was denied",
        "check the permissions of the path",
    ),
    _family(r"No space left on device", "the disk is full", "free some space"),
    _family(
        r"(?:Connection refused|UnknownHostException|ConnectException|connection attempt failed)[^\n]*",
        "a system the job talks to cannot be reached",
        "check its address and that it is up",
    ),
    _family(
        r"(?:ClassNotFoundException|NoClassDefFoundError): ([^\n]*)",
        "class {0} is not on the classpath",
        "install the connector or the function it belongs to",
    ),
    _family(
        r"Checkpoint expired before completing|Exceeded checkpoint tolerable failure threshold",
        "checkpoints fail or take too long",
        "look at back pressure, or raise the checkpoint timeout",
    ),
)


def diagnose(failure: Failure) -> Diagnosis:
    """Name the family of a failure; one that is not known is told by its root cause."""
    root = root_line(failure.trace)
    vertex = _vertex(failure.vertex)
    for family in _FAMILIES:
        if match := family.pattern.search(failure.trace):
            reason = family.reason.format(*(group or "?" for group in match.groups())).replace(" (?)", "")
            advice = catalogue.advice(match[1]) if family.installable else ""
            return Diagnosis(reason, root, vertex, advice or family.advice, failure.times)
    return Diagnosis(root, root, vertex, times=failure.times)


def root_line(trace: str) -> str:
    """The last cause of a stack trace that says something, without its Java class where the text stands alone."""
    told = [text for cause in causes(trace) if (text := said(cause))]
    return told[-1][:1000] if told else trace.strip().partition("\n")[0][:1000]


def causes(trace: str) -> list[str]:
    """The messages of a stack trace from the outermost to the root, each with its class; frames are left out."""
    found: list[list[str]] = [[]]
    skip = False
    for line in trace.splitlines():
        if line.startswith("Caused by: "):
            found.append([])
            skip = False
        elif line.lstrip().startswith("Suppressed: "):
            skip = True
        if re.match(r"\s+(?:at |\.\.\. \d+ more)", line) or skip:
            continue
        found[-1].append(line.rstrip())
    return ["\n".join(lines).strip() for lines in found if any(lines)]


def said(cause: str) -> str:
    """A cause's text; with its class in front where the text alone is a riddle."""
    match = _CLASS.match(cause)
    if not match:
        return cause.partition("\n")[0]
    name, text = match[1], (match[2] or "").partition("\n")[0].strip()
    if not text:
        return name
    return text if " " in text else f"{name}: {text}"


def _vertex(task: str | None) -> str | None:
    """A task's name without its attempt and subtask: `Source: a[1] -> Calc[2] (1/1) - execution #0`."""
    return re.sub(r" \(\d+/\d+\).*$", "", task) if task else None
