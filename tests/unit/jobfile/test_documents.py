"""YAML's traps, each closed at the place where it was set."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flinkform.errors import Invalid, Position
from flinkform.jobfile.documents import parse
from tests.unit.jobfile.conftest import read_layer

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


def values(text: str) -> dict[str, Any]:
    return dict(read_layer(text.encode()).values)


def refused(text: str | bytes) -> tuple[str, int, int]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(Invalid) as caught:
        read_layer(data)
    position = caught.value.position
    assert position is not None
    assert position.file == "x.yaml"
    return caught.value.message, position.line, position.column


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("parallelism: 2\nparallelism: 3\n", "the key 'parallelism' comes twice, first in line 1", 2, 1),
        ("labels:\n  a: x\n  a: y\n", "the key 'a' comes twice, first in line 2", 3, 3),
        ("labels:\n\ta: x\n", "expected YAML: found character that cannot start any token", 2, 1),
        ("labels: [a\n", "expected YAML: did not find expected ',' or ']'", 1, 9),
        ('description: "open\n', "expected YAML: found unexpected end of stream", 1, 14),
        ("parallelism: 1\nstate\n", "expected YAML: could not find expected ':'", 2, 1),
        ("parallelism: 1\n---\nparallelism: 2\n", "expected YAML: but found another document", 2, 1),
        ("labels: *nowhere\n", "expected YAML: found undefined alias", 1, 9),
        (
            "description: !!python/name:os.system x\n",
            "expected no tag, got tag:yaml.org,2002:python/name:os.system",
            1,
            14,
        ),
        ("? [a, b]\n: x\n", "expected a word as key, got a list or a map", 1, 3),
        ("parallelism: 1\ndescription: a\x01\n", "expected no control characters, got U+0001", 2, 15),
        ("description: caf\u00e9 \x07\n", "expected no control characters, got U+0007", 1, 19),
        (b"parallelism: 1\ndescription: caf\xe9 x\n", "expected UTF-8, got the byte 0xe9", 2, 17),
        ("just words\n", "expected keys and values, got 'just words'", 1, 1),
        ("- a\n", "expected keys and values, got a list", 1, 1),
        ("<<: {parallelism: 2}\n", "unknown key '<<'", 1, 1),
    ],
)
def test_malformed_text_is_refused_at_its_place(text: str | bytes, message: str, line: int, column: int) -> None:
    """What is no sound YAML is refused with a message and the exact line and column."""
    assert refused(text) == (message, line, column)


@pytest.mark.parametrize("deep", ["[" * 100_000, "- " * 100_000, "{a: " * 50_000, "? " * 100_000])
def test_deep_nesting_is_refused(deep: str) -> None:
    """A file that nests without end is refused, and does not take the process with it."""
    message, line, _ = refused(deep)
    assert (message, line) == ("expected at most 16 levels, got more", 1)


@pytest.mark.parametrize("text", [BOMB, "labels: &a\n  a: *a\n"])
def test_aliases_that_expand_without_end_are_refused(text: str) -> None:
    """Aliases count as often as they are used, and one inside itself counts for ever."""
    assert refused(text) == ("expected a small file, got aliases that expand without end", 1, 1)


def test_an_alias_may_be_used() -> None:
    """A few aliases are harmless and mean what they stand for."""
    assert values("labels: &l {a: x}\nflink_options: *l\n") == {"labels": {"a": "x"}, "flink_options": {"a": "x"}}


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "~", "null\n", "---\n", "\ufeff"])
def test_an_empty_file_says_nothing(text: str) -> None:
    """A file without keys is a file without values."""
    assert values(text) == {}


def test_words_of_yaml_1_1_are_text() -> None:
    """`on`, `off`, `yes`, `no`, times and dates stay the text they are."""
    text = "labels: {a: on, b: off, c: yes, d: no, e: 2024-01-01, f: 12:30:45, g: 0777, h: 1_000}"
    labels = values(text)["labels"]
    assert list(labels.values()) == ["on", "off", "yes", "no", "2024-01-01", "12:30:45", "0777", "1_000"]


def test_flink_options_become_flinks_text() -> None:
    """Numbers stay as they are written and truth is lower case: that is how Flink writes them."""
    text = """
flink_options:
  a: 1
  b: 1.10
  c: true
  d: False
  e: 10 s
  f: "TRUE"
  g: 1e3
  h: 0x1F
  i: ''
  1: one
"""
    assert values(text)["flink_options"] == {
        "a": "1",
        "b": "1.10",
        "c": "true",
        "d": "false",
        "e": "10 s",
        "f": "TRUE",
        "g": "1e3",
        "h": "0x1F",
        "i": "",
        "1": "one",
    }


@pytest.mark.parametrize(
    ("text", "value"), [("0x10", 16), ("0o17", 15), ("017", 17), ("2.0", 2), ("1e2", 100), ("+3", 3)]
)
def test_numbers_follow_yaml_1_2(text: str, value: int) -> None:
    """A number is read as YAML 1.2 reads it; a whole one is whole however it is written."""
    read = values(f"parallelism: {text}")["parallelism"]
    assert (read, type(read)) == (value, int)


@pytest.mark.parametrize("text", [".inf", ".nan", "1e400", "1:30", "yes"])
def test_what_is_no_number_is_refused(text: str) -> None:
    """Infinity, overflow and base 60 are text, and text is no number."""
    message, line, column = refused(f"parallelism: {text}")
    assert message.startswith("expected a whole number, got '")
    assert (line, column) == (1, 14)


def test_a_byte_order_mark_takes_no_column() -> None:
    """Columns count characters that a person sees."""
    assert refused("\ufeffstate: on")[1:] == (1, 8)


def test_places_count_characters() -> None:
    """A character outside ASCII, and outside the 16-bit plane, is one column."""
    assert refused("labels: {caf\u00e9: \U0001f600, b: [x]}") == ("expected a string, got ['x']", 1, 22)


def test_a_place_prints_as_editors_read_it() -> None:
    """An error begins with file:line:column."""
    with pytest.raises(Invalid) as caught:
        parse(b"a: b: c", "jobs/x.yaml")
    assert caught.value.position == Position("jobs/x.yaml", 1, 5)
    assert str(caught.value).startswith("jobs/x.yaml:1:5: expected YAML: ")


PIECES = st.sampled_from(
    [
        "labels",
        "parallelism",
        "upgrade",
        ": ",
        "\n",
        "  ",
        "- ",
        "{",
        "}",
        "[",
        "]",
        "'",
        '"',
        "&a ",
        "*a",
        "!t ",
        "|",
        "\t",
        "#",
    ]
)


@given(st.one_of(st.lists(PIECES, max_size=30).map(lambda p: "".join(p).encode()), st.binary(max_size=60)))
def test_any_bytes_are_values_or_an_error_with_a_place(data: bytes) -> None:
    """Whatever is in a file, reading it gives values or says where it is wrong."""
    try:
        read_layer(data)
    except Invalid as error:
        where = error.position
    else:
        return
    assert where is not None
    assert (where.line >= 1, where.column >= 1) == (True, True)
