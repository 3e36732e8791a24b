"""Flink's complaints become places in a script."""

from __future__ import annotations

import pytest

from flinkform.flink.problems import missing, problem, problems, table, writing
from flinkform.flink.sql import Lines, statements

SCRIPT = "SELECT 1;\n  INSERT INTO sink\n  SELECT nope"
PART = statements(SCRIPT)[1]


@pytest.mark.parametrize(
    ("trace", "place", "message"),
    [
        (
            "a.V: SQL validation failed. From line 3, column 10 to line 3, column 13: No nope\n\tat x",
            (3, 10, 3, 13),
            None,
        ),
        (
            'a.P: SQL parse failed. Encountered "x" at line 3, column 3.\nWas expecting one of:\n  <EOF>',
            (3, 3, 3, 3),
            None,
        ),
        ("a.T: it just fails", (2, 3, 2, 18), "it just fails"),
    ],
)
def test_places(trace: str, place: tuple[int, int, int, int], message: str | None) -> None:
    """A range, a point, or else the statement's first line; the message does not repeat the place."""
    found = problem(trace, PART, Lines(SCRIPT))
    assert (found.line, found.column, found.end_line, found.end_column) == place
    assert "line" not in found.message
    assert message in (None, found.message)


def test_long_message() -> None:
    """What Flink says at length is cut before its lists and bounded."""
    found = problem(
        "a.V: Unsupported options:\n\nfoo\nbar\n\nSupported options:\n\n" + "x\n" * 999, PART, Lines(SCRIPT)
    )
    assert found.message == "Unsupported options: foo bar"
    assert len(problem("a.V: y" + " y" * 9999, PART, Lines(SCRIPT)).message) <= 500


def test_table() -> None:
    """The table whose options are wrong is named by Flink in full."""
    assert table("a.V: Unable to create a sink for writing table 'c.d.t'.\n\nTable options") == "c.d.t"
    assert table("a.V: something else") is None


def test_missing() -> None:
    """What an earlier statement should have made is told apart from other mistakes, and from what nobody made."""
    trace = "a.V: From line 1, column 1 to line 1, column 2: Object 'Sink' not found"
    assert missing(trace, [PART])
    assert not missing(trace, [])
    assert not missing(trace.replace("Sink", "x"), [PART])
    assert missing("a.V: it does not exist", [PART])
    assert not missing("a.V: Column 'x' not found in any table", [PART])


def test_options() -> None:
    """Each option that a table does not have is told at the option, with the one that was meant."""
    made = statements("CREATE TABLE t (a INT) WITH ('connector' = 'x',\n 'colr' = 'red', 'b.c' = '1')")[0]
    trace = (
        "a.V: Unable to create a source for reading table 'c.d.t'.\n\nTable options are:\n\n'colr'='red'\n"
        "Caused by: a.V: Unsupported options found for 'x'.\n\nUnsupported options:\n\nb.c\ncolr\n\n"
        "Supported options:\n\ncolour\nconnector\n\tat x"
    )
    found = problems(trace, made, [], Lines(made.text))
    assert [(one.line, one.column, one.message) for one in found] == [
        (2, 18, "'x' has no option 'b.c'"),
        (2, 2, "'x' has no option 'colr'; did you mean 'colour'?"),
    ]
    assert writing("Unable to create a sink for writing table 'c.d.t'") > writing(trace)


@pytest.mark.parametrize(
    ("text", "column", "end"),
    [
        ("INSERT INTO nowhere SELECT 1", 13, 19),
        ("INSERT INTO `d`.`nowhere` SELECT 1 AS nowhere", 13, 25),
        ("EXECUTE x", 1, 9),
    ],
)
def test_a_sink_that_is_not_there(text: str, column: int, end: int) -> None:
    """Flink names no place of it: it is where the statement names it, with its database if it is written."""
    trace = "a.V: Cannot find table '`default_catalog`.`default_database`.`nowhere`' in any of the catalogs [c]"
    found = problem(trace, statements(text)[0], Lines(text))
    assert (found.line, found.column, found.end_line, found.end_column) == (1, column, 1, end)
