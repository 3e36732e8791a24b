"""A script: its bytes survive, and the SETs at its top are seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flinkform.errors import Invalid, Position
from flinkform.jobfile.scripts import script

PIECES = st.sampled_from(
    ["SET 'a' = 'b';", "${x}", "%{if}", "\r\n", "\n", "\r", "\ufeff", "'", '"', "`", ";", "--", "/*", "*/", "\\", "\0"]
)


def options(text: str) -> dict[str, str]:
    return dict(script(text.encode(), "x.sql").options)


@given(st.lists(st.one_of(PIECES, st.text(max_size=5))).map("".join).filter(lambda t: t.removeprefix("\ufeff").strip()))
def test_every_character_survives(text: str) -> None:
    """Whatever is in a script, CRLF, marks, templates, odd quotes, comes out as it went in."""
    assert script(text.encode(), "x.sql").text == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("SET 'a.b' = '1';\nINSERT INTO x SELECT 1;", {"a.b": "1"}),
        ("set 'a'='1';SET\t'b'\r\n=\r\n'2' ; SELECT 1", {"a": "1", "b": "2"}),
        ("\ufeff-- why\r\n/* SET 'no' = '0'; */ // nor this\nSET 'a' = '1';", {"a": "1"}),
        ("SET 'a' = '1'; -- a ; in a comment\nSET 'b' = '2';", {"a": "1", "b": "2"}),
        ("SET /* c */ 'a' -- d\n = /* e */ '1';", {"a": "1"}),
        ("SET 'a' = 'it''s; -- no comment';", {"a": "it's; -- no comment"}),
        ("SET 'a' = '';", {"a": ""}),
        ("SET 'a' = '1'", {"a": "1"}),
        ("SET 'a' = '1'; SET 'a' = '2';", {"a": "2"}),
        (";;SET 'a' = '1';;SET 'b' = '2';", {"a": "1", "b": "2"}),
        ("SET table.local-time-zone = UTC;", {"table.local-time-zone": "UTC"}),
        ("SELECT 1; SET 'late' = '1';", {}),
        ("SET 'a' = '1'; SELECT 1; SET 'late' = '1';", {"a": "1"}),
        ("RESET 'a'; SET 'a' = '1';", {}),
        ("SET;", {}),
        ("SETTING 'a' = '1';", {}),
        ("SET 'a' = '1' 'b';", {}),
        ("SET 'a' = 'open", {}),
        ("/* open SET 'a' = '1';", {}),
        ("/*+ hint */ SET 'a' = '1';", {}),
        ("-- SET 'a' = '1';\nSELECT 1", {}),
    ],
)
def test_leading_sets_are_options(text: str, found: dict[str, str]) -> None:
    """SET statements before anything else are Flink options, whatever blanks and comments are around them."""
    assert options(text) == found


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("SET 'execution.runtime-mode' = 'batch';", "BATCH"),
        ("SET 'execution.runtime-mode' = 'BATCH';", "BATCH"),
        ("SET 'execution.runtime-mode' = 'streaming';", "STREAMING"),
        ("SET 'a' = '1';", None),
    ],
)
def test_the_runtime_mode_is_no_option(text: str, mode: str | None) -> None:
    """A script says that it is a batch job in the way Flink's own client has it; that is an attribute, no option."""
    read = script(text.encode(), "x.sql")
    assert read.mode == mode
    assert "execution.runtime-mode" not in read.options


def test_an_unknown_runtime_mode_is_refused_at_its_set() -> None:
    """`automatic` is none: whether a job ends must be known before it starts."""
    with pytest.raises(Invalid) as caught:
        script("-- é\r\n  SET 'execution.runtime-mode' = 'automatic';".encode(), "x.sql")
    assert caught.value.position == Position("x.sql", 2, 3)
    assert caught.value.message == "expected execution.runtime-mode streaming or batch, got 'automatic'"


def test_a_set_knows_its_place() -> None:
    """The place of an option is where its SET begins; a mark takes no column, CRLF is one line's end."""
    sources = script("\ufeffSET 'a' = '1';\r\n\r\n  SET 'b' = '2';".encode(), "x.sql").sources
    assert sources == {"a": Position("x.sql", 1, 1), "b": Position("x.sql", 3, 3)}


@pytest.mark.parametrize("text", ["", " \n\t", "\ufeff", "\ufeff\r\n"])
def test_an_empty_script_is_refused(text: str) -> None:
    """A file with nothing in it is a mistake."""
    with pytest.raises(Invalid, match="expected SQL statements, got an empty file"):
        script(text.encode(), "x.sql")


def test_bytes_that_are_no_utf8_are_refused_at_their_place() -> None:
    """Latin-1 and the like are named with the byte, its line and its column."""
    with pytest.raises(Invalid) as caught:
        script("-- ü\r\nSELECT 'ä".encode() + b"\xfc'", "x.sql")
    assert str(caught.value) == "x.sql:2:10: expected UTF-8, got the byte 0xfc"


@pytest.mark.parametrize(
    "hard", ["/*" * 200_000, "-" * 500_000, " " * 500_000, "SET 'a" * 80_000, "SET 'a' = '1';" * 30_000]
)
def test_no_text_is_slow_to_read(hard: str) -> None:
    """Reading takes time in proportion to the text; one that did not would not come back."""
    script(f"{hard}x".encode(), "x.sql")
