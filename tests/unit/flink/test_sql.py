"""The statement splitter: exact positions, and no opinion about SQL."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flinkform.flink.sql import Lines, batch, literal, padded, statements


def texts(script: str) -> list[str]:
    return [statement.text for statement in statements(script)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("", []),
        (";;  ;\n-- only a comment\n/* and ; another */;", []),
        ("a; b", ["a", "b"]),
        ("select ';' , `;` , \";\"; b", ["select ';' , `;` , \";\"", "b"]),
        ("select 'it''s;' ; b", ["select 'it''s;'", "b"]),
        ("select `a``;` ; b", ["select `a``;`", "b"]),
        ("a -- it's; fine\n; b", ["a", "b"]),
        ("a // it's; fine\n; b", ["a", "b"]),
        ("a -- x;\rb; c", ["a -- x;\rb", "c"]),
        ("a /* it's ; */ b; c", ["a /* it's ; */ b", "c"]),
        ("select /*+ OPTIONS('k'=';*/') */ 1; b", ["select /*+ OPTIONS('k'=';*/') */ 1", "b"]),
        ("select 'open; b", ["select 'open; b"]),
        ("a /* open; b", ["a /* open; b"]),
        ("select 'http://x/*;*/' ; b", ["select 'http://x/*;*/'", "b"]),
        ("select '${a;b}' ; b", ["select '${a;b}'", "b"]),
    ],
)
def test_semicolons(script: str, expected: list[str]) -> None:
    """Only a semicolon outside quotes and comments ends a statement; broken input is one statement, not an error."""
    assert texts(script) == expected


@pytest.mark.parametrize("word", ["EXECUTE", "explain", "COMPILE PLAN 'p' FOR"])
def test_block(word: str) -> None:
    """A statement set with BEGIN is one statement, with CASE … END and comments inside it."""
    rest = "statement /* s */ set Begin insert into a select case when 1=1 then 'x;' end from t; -- ;\n/* c */ END"
    block = f"{word} {rest}"
    assert texts(f"create table t(x int);\n{block} ;\nselect 1") == ["create table t(x int)", block, "select 1"]


def test_open_set() -> None:
    """BEGIN STATEMENT SET; … END; is cut at every semicolon, as Flink's parser takes it."""
    assert texts("begin statement set; insert a; insert b; end;") == [
        "begin statement set",
        "insert a",
        "insert b",
        "end",
    ]


def test_unfinished_block() -> None:
    """A block without END takes the rest, so that Flink can say what is missing."""
    assert len(texts("execute statement set begin insert a; insert b;")) == 1


def test_positions() -> None:
    """Lines end with LF, CRLF or CR, the byte order mark takes no column, and comments are no start."""
    script = "\ufeffa;\r\n -- c\r\n  é = '😀'; b;\rc"
    assert [(s.line, s.column) for s in statements(script)] == [(1, 1), (3, 3), (3, 12), (4, 1)]


def test_padding_counts_as_java_does() -> None:
    """What Flink counts in UTF-16 units comes back as characters."""
    script = "\n'😀😀'; select x"
    lines = Lines(script)
    statement = statements(script)[1]
    text = padded(statement, lines)
    unit = len(text.split("\n")[1].encode("utf-16-le")) // 2
    assert text.split("\n")[1].index("select") == 8
    assert lines.column(2, unit) == len("'😀😀'; select x")
    assert lines.column(2, 99) == 99
    assert lines.column(99, 7) == 7


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("SET 'execution.runtime-mode' = 'batch'; select 1", True),
        ("set execution.runtime-mode=BATCH; select 1", True),
        ("-- c\nset 'a'='b'; set 'execution.runtime-mode'='streaming'", False),
        ("create table t(x int); set 'execution.runtime-mode'='streaming'", True),
        ("", True),
    ],
)
def test_batch(script: str, expected: bool) -> None:
    """Leading SETs decide the mode; a later one is too late and the default holds."""
    assert batch(statements(script), default=not script.lower().count("batch")) is expected


def test_literal() -> None:
    """A literal is found outside comments only."""
    text = "create /* 'x' */ table t with ('connector' = 'x')"
    assert literal(text, "x") == text.rindex("'x'")
    assert literal(text, "y") is None


@given(st.text(alphabet=";'`\"-/*+\n\r aSETBEGIN\ufeffé😀", max_size=60))
def test_nothing_is_lost(script: str) -> None:
    """Whatever comes in, every statement stands in the script exactly where its position says."""
    plain = script.removeprefix("\ufeff")
    lines = Lines(plain)
    last = 0
    for statement in statements(script):
        offset = plain.index(statement.text, last)
        while lines.place(offset) != (statement.line, statement.column):
            offset = plain.index(statement.text, offset + 1)
        last = offset + len(statement.text)
        assert len(statement.code) == len(statement.text)
        assert statement.code.strip()
