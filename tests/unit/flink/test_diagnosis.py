"""Flink's stack traces become a reason, a place and advice."""

from __future__ import annotations

import pytest

from flinkform.flink.diagnosis import Failure, causes, diagnose, root_line

TRACE = """java.util.concurrent.CompletionException: org.apache.flink.util.FlinkException: Job failed
\tat org.apache.flink.A.run(A.java:1)
\tSuppressed: java.io.IOException: never mind
\t\tat org.apache.flink.A.close(A.java:2)
Caused by: org.apache.flink.util.FlinkException: Job failed
\tat org.apache.flink.B.run(B.java:1)
\t... 3 more
Caused by: java.lang.IllegalStateException: the queue is full
  and stays so
\tat org.apache.flink.C.run(C.java:1)
"""
THRESHOLD = "o.a.f.FlinkRuntimeException: Exceeded checkpoint tolerable failure threshold."
UNREAD = """java.lang.RuntimeException: Fail to deserialize at field: id.
\tat org.apache.flink.formats.csv.CsvToRowDataConverters.convert(CsvToRowDataConverters.java:113)
Caused by: java.lang.NumberFormatException: For input string: "x\""""


def test_causes() -> None:
    """Frames and suppressed exceptions are left out, lines that belong to a message stay."""
    assert [cause.splitlines() for cause in causes(TRACE)] == [
        ["java.util.concurrent.CompletionException: org.apache.flink.util.FlinkException: Job failed"],
        ["Caused by: org.apache.flink.util.FlinkException: Job failed"],
        ["Caused by: java.lang.IllegalStateException: the queue is full", "  and stays so"],
    ]


@pytest.mark.parametrize(
    ("trace", "line"),
    [
        (TRACE, "the queue is full"),
        ("java.lang.ArithmeticException: / by zero\n\tat X.y(Z)", "/ by zero"),
        (
            "a.b.Outer: it broke badly\nCaused by: java.lang.NullPointerException\n\tat x.Y.z(Y.java)",
            "NullPointerException",
        ),
        ("java.lang.NumberFormatException: x7", "NumberFormatException: x7"),
        ("no trace at all\nreally", "no trace at all"),
        ("", ""),
    ],
)
def test_root_line(trace: str, line: str) -> None:
    """The root cause in one line, with its class only where the text alone is a riddle."""
    assert root_line(trace) == line


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        ("java.lang.ArithmeticException: / by zero", "arithmetic failed (/ by zero)"),
        (
            "java.lang.X: Cannot map checkpoint/savepoint state for operator cbc357ccb763df2852fee8c4fc7d55f2 to the",
            "the saved state holds an operator (cbc357ccb763df2852fee8c4fc7d55f2) that the new SQL does not have",
        ),
        (
            "a.B: x y\nCaused by: o.a.f.StateMigrationException: The new state serializer must not be incompatible",
            "the saved state does not fit the new SQL",
        ),
        (
            "a.FileNotFoundException: Cannot find checkpoint or savepoint file/directory 'file:/gone' on file",
            "the savepoint or checkpoint file:/gone does not exist",
        ),
        (
            "o.V: Could not find any factory for identifier 'kafka' that implements 'x' in the classpath.",
            "connector or format 'kafka' is not installed",
        ),
        ("a.NoResourceAvailableException: Could not acquire the minimum", "there are not enough free slots"),
        ("java.lang.OutOfMemoryError: Java heap space", "Flink ran out of memory (Java heap space)"),
        ("java.lang.OutOfMemoryError", "Flink ran out of memory"),
        (
            "o.T: Column 'id' is NOT NULL, however, a null value is being written into it.",
            "a null was written into column id, which is NOT NULL",
        ),
        (
            "java.io.IOException: Failed to deserialize CSV row 'x'.",
            "a message could not be read in the table's format (Failed to deserialize CSV row 'x'.)",
        ),
        (
            UNREAD,
            'a message could not be read in the table\'s format (For input string: "x")',
        ),
        (
            "java.io.FileNotFoundException: File /no/file does not exist or the user running Flink ('root') has",
            "a file is missing: /no/file",
        ),
        ("java.io.IOException: Failed to create the parent directory: /proc/x", "the folder /proc/x cannot be made"),
        ("java.lang.OutOfMemoryError: Metaspace", "Flink ran out of memory (Metaspace)"),
        (
            f"{THRESHOLD} The latest checkpoint failed due to Checkpoint expired before completing., view the",
            "checkpoints take too long",
        ),
        (
            f"{THRESHOLD} The latest checkpoint failed due to Asynchronous task checkpoint failed., view the",
            "checkpoints fail (Asynchronous task checkpoint failed)",
        ),
        (THRESHOLD, "checkpoints fail"),
        (
            "java.util.concurrent.TimeoutException: Heartbeat of TaskManager with id 127.0.0.1:4-a timed out.",
            "the process that ran the job's tasks was lost",
        ),
        (
            "o.a.pekko.pattern.AskTimeoutException: Ask timed out on [Actor[pekko://flink/user]] after [10000 ms].",
            "something inside Flink did not answer in time",
        ),
        (
            "org.postgresql.util.PSQLException: ERROR: deadlock detected",
            "a database gave a write up for another one (deadlock)",
        ),
        (
            'org.postgresql.util.PSQLException: ERROR: relation "bids" does not exist',
            "the table bids is not in the database",
        ),
        (
            'org.postgresql.util.PSQLException: FATAL: password authentication failed for user "x"',
            "a system the job talks to does not let it in",
        ),
        (
            "o.a.k.common.errors.UnknownTopicOrPartitionException: This server does not host this topic-partition.",
            "a topic does not exist",
        ),
        (
            "java.lang.ClassNotFoundException: com.example.Parse",
            "class com.example.Parse is not on the classpath",
        ),
        (
            "java.lang.RuntimeException: RowTime field should not be null, please convert it to a non-null long value.",
            "a row has no event time",
        ),
        ("java.io.IOException: No space left on device", "the disk is full"),
        ("java.net.ConnectException: Connection refused", "a system the job talks to cannot be reached"),
        ("java.lang.IllegalStateException: a riddle of its own", "a riddle of its own"),
    ],
)
def test_families(trace: str, reason: str) -> None:
    """Known failures are told in our words, others in Flink's."""
    assert diagnose(Failure(trace, None)).reason == reason


def test_what_can_be_installed() -> None:
    """What is missing and can be had is told with the command that brings it."""
    kafka = "o.V: Could not find any factory for identifier 'kafka' that implements 'x' in the classpath."
    assert diagnose(Failure(kafka, None)).advice == "`flinkform connectors install kafka` brings it"
    assert diagnose(Failure(kafka.replace("kafka", "hologres"), None)).advice == "use one that is, or install it"
    scheme = (
        "o.f.c.f.UnsupportedFileSystemSchemeException: Could not find a file system implementation for scheme 's3'."
    )
    assert diagnose(Failure(scheme, None)).advice == "`flinkform connectors install s3` brings it"


def test_vertex() -> None:
    """The task is told without its subtask and attempt."""
    told = diagnose(Failure("a.B: it broke", "Source: a[1] -> Calc[2] (1/4) - execution #0"))
    assert told.vertex == "Source: a[1] -> Calc[2]"
    assert str(told) == "it broke in Source: a[1] -> Calc[2]"
