"""The kinds of failures that jobs have: how a stack trace tells one, how to say it, what to do, where to look."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flinkform.flink.values import Part


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of failure: what its trace holds, how to say it (with the pattern's groups), what to do.

    *installable*: the first group is what scripts call something that may be installed. *part* of the script is where
    it comes from: of a query the *words*, of a table its *option*, narrow that down to a line.
    """

    pattern: re.Pattern[str]
    reason: str
    advice: str
    installable: bool = False
    part: Part = Part.NONE
    words: tuple[str, ...] = ()
    option: str = ""


def _family(pattern: str, reason: str, advice: str, *, installable: bool = False) -> Family:
    return Family(re.compile(pattern, re.DOTALL), reason, advice, installable)


def _query(pattern: str, reason: str, advice: str, *words: str) -> Family:
    return Family(re.compile(pattern, re.DOTALL), reason, advice, part=Part.QUERY, words=words)


def _table(pattern: str, reason: str, advice: str, option: str = "", *, installable: bool = False) -> Family:
    return Family(re.compile(pattern, re.DOTALL), reason, advice, installable, part=Part.TABLE, option=option)


_STATE = (
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
        r"Unexpected state handle type",
        "the saved state is for another state backend",
        "take the old state backend back, or go on from a savepoint: upgrade.mode = savepoint",
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
        r"(?:The rebuilt )?max(?:imum)? ?parallelism[^\n]*(?:savepoint|checkpoint|restored)[^\n]*",
        "the saved state was cut for another maximum parallelism",
        "set pipeline.max-parallelism to what it was",
    ),
)
_RESOURCES = (
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
        r"OutOfMemoryError: (Metaspace)",
        "Flink ran out of memory ({0})",
        "start fewer different jobs in one JVM, or give this one a JVM of its own",
    ),
    _family(
        r"OutOfMemoryError: ((?:Direct|Cannot reserve \d+ bytes of direct) buffer memory|unable to create[^\n]*)",
        "Flink ran out of memory ({0})",
        "lower the parallelism, or stop other jobs",
    ),
    _family(
        r"OutOfMemoryError(?:: ([^\n]*))?",
        "Flink ran out of memory ({0})",
        "give the JVM more heap, or look for state that only grows",
    ),
    _family(r"No space left on device", "the disk is full", "free some space"),
    _family(
        r"(?:Heartbeat of TaskManager|TaskManager)[^\n]*(?:timed out|no longer reachable|was lost|lost connection)",
        "the process that ran the job's tasks was lost",
        "look for memory that ran out or a machine that went down; Flink starts the job again",
    ),
)
_ROWS = (
    _query(
        r"Column '([^']*)' is NOT NULL, however, a null value is being written",
        "a null was written into column {0}, which is NOT NULL",
        "filter nulls, or set table.exec.sink.not-null-enforcer to drop",
    ),
    _query(
        r"(?:RowTime field should not be null|Rowtime timestamp is not defined|rowtime[^\n]* null)",
        "a row has no event time",
        "filter rows without one in front of the window, or give the column a value",
    ),
    _table(
        r"(?:Fail(?:ed)? to deserialize|deserialize (?:JSON|CSV|Avro|consumer record)"
        r"|Corrupt (?:Debezium|Canal|Maxwell)|JsonParseException|CsvMappingException|AvroTypeException"
        r"|MalformedInputException|InvalidProtocolBufferException)",
        "a message could not be read in the table's format ({root})",
        "check the format and the columns, or skip such messages with the format's ignore-parse-errors option",
        "format",
    ),
    _query(
        r"ArithmeticException: ([^\n]*)",
        "arithmetic failed ({0})",
        "guard the division, for instance with NULLIF",
        *("/", "%", "MOD"),
    ),
    _query(
        r"(?:NumberFormatException|DateTimeException|DateTimeParseException|Cannot cast|Cannot parse|Invalid format)"
        r"[^\n]*",
        "a value could not be converted ({root})",
        "use TRY_CAST, which gives NULL instead",
        *("CAST", "TO_DATE", "TO_TIMESTAMP"),
    ),
)
_SYSTEMS = (
    _table(
        r"Could not find any (?:format )?factory for identifier '([^']*)'",
        "connector or format '{0}' is not installed",
        "use one that is, or install it",
        installable=True,
    ),
    _table(
        r"UnsupportedFileSystemSchemeException: Could not find a file system implementation for scheme '([^']*)'",
        "no file system for {0}:// is installed",
        "install its plugin, or use a file:// path",
        "path",
        installable=True,
    ),
    _table(
        r"FileNotFoundException: File (\S+) does not exist or the user running Flink",
        "a file is missing: {0}",
        "check the path, and whether Flink's user may read it",
        "path",
    ),
    _table(
        r"(?:FileNotFoundException|NoSuchFileException):? ([^\n]*)",
        "a file is missing: {0}",
        "check the path",
        "path",
    ),
    _table(
        r"(?:Failed to create the parent directory: |Mkdirs failed to create |Could not create directory )([^\s]+)",
        "the folder {0} cannot be made",
        "check the path, and whether Flink's user may write there",
        "path",
    ),
    _table(
        r"UnknownTopicOrPartitionException|(?:Topic|topic) \[?'?([\w.-]+)'?\]?[^\n]*(?:does not exist|not present)",
        "a topic does not exist ({0})",
        "make it, or check its name",
        "topic",
    ),
    _table(
        r"(?:relation|Table|table) [\"'`]?([\w.]+)[\"'`]? (?:does not|doesn't) exist",
        "the table {0} is not in the database",
        "make it, or check its name",
        "table-name",
    ),
    _table(
        r"(?:SaslAuthenticationException|password authentication failed|Access denied for user|AuthenticationException"
        r"|TopicAuthorizationException|GroupAuthorizationException|InvalidAccessKeyId|SignatureDoesNotMatch)[^\n]*",
        "a system the job talks to does not let it in",
        "check the user, its password and what it may do",
    ),
    _family(
        r"(?:[Dd]eadlock (?:found|detected)|Lock wait timeout exceeded|could not obtain lock)[^\n]*",
        "a database gave a write up for another one (deadlock)",
        "write to a table from one job, in one order; Flink tries again",
    ),
    _table(
        r"(?:AccessDeniedException|Permission denied)[^\n]*",
        "access was denied",
        "check the permissions of the path",
        "path",
    ),
    _table(
        r"(?:Connection refused|UnknownHostException|ConnectException|connection attempt failed|NoRouteToHost"
        r"|Connection reset|Broken pipe|Timed? ?out waiting for a node assignment|Failed to (?:get|list) [^\n]*topic)"
        r"[^\n]*",
        "a system the job talks to cannot be reached",
        "check its address and that it is up",
    ),
    _family(
        r"(?:ClassNotFoundException|NoClassDefFoundError): ([^\n]*)",
        "class {0} is not on the classpath",
        "install the connector or the function it belongs to",
    ),
)
_CHECKPOINTS = (
    _family(
        r"Checkpoint expired before completing",
        "checkpoints take too long",
        "look at back pressure and the size of the state, or raise execution.checkpointing.timeout",
    ),
    _family(
        r"Exceeded checkpoint tolerable failure threshold"
        r"(?:\. The latest checkpoint failed due to ([^\n]*?)(?:\.?, view))?",
        "checkpoints fail ({0})",
        "look at the job's log for why, and whether the checkpoint folder can be written",
    ),
    _family(
        r"(?:AskTimeoutException|TimeoutException)[^\n]*",
        "something inside Flink did not answer in time",
        "look for a machine that is too busy; Flink starts the job again",
    ),
)

FAMILIES = (*_STATE, *_RESOURCES, *_ROWS, *_SYSTEMS, *_CHECKPOINTS)
"""The first that matches wins: state, what keeps all jobs from running, rows, systems, then what follows from these."""
