"""Protobuf by field number."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flinkform.provider.protocol import protobuf
from flinkform.provider.protocol.faults import Malformed

VALUES = st.one_of(st.integers(0, 2**64 - 1), st.binary(max_size=300))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(1, 2**29 - 1), VALUES), max_size=8))
def test_what_is_written_is_read(items: list[tuple[int, int | bytes]]) -> None:
    """Numbers of any size and bytes come back in order, repeated fields too."""
    data = b"".join(
        protobuf.varint(number << 3) + protobuf.varint(value)
        if isinstance(value, int)
        else protobuf.message(number, value)
        for number, value in items
    )
    assert list(protobuf.fields(data)) == items


@pytest.mark.parametrize(
    ("encoded", "expected"),
    [
        (protobuf.uint(1, 150), "089601"),  # the example of protobuf's own documentation
        (protobuf.string(2, "testing"), "120774657374696e67"),
        (protobuf.message(3, protobuf.uint(1, 150)), "1a03089601"),
        (protobuf.boolean(16, True), "800101"),
        (protobuf.uint(1, -1), "08ffffffffffffffffff01"),
        (protobuf.entry(2, "a", b""), "12050a01611200"),
    ],
)
def test_known_bytes(encoded: bytes, expected: str) -> None:
    """Each encoder writes what protoc's code writes."""
    assert encoded.hex() == expected


def test_zero_is_left_out() -> None:
    """proto3 sends no field that has its default, but a nested message always."""
    assert protobuf.uint(1, 0) + protobuf.boolean(1, False) + protobuf.string(1, "") + protobuf.bytes_(1, b"") == b""
    assert protobuf.message(1) == b"\x0a\x00"


def test_the_last_value_counts() -> None:
    """A field given twice has its last value, fixed-width fields are bytes."""
    data = protobuf.uint(1, 1) + protobuf.uint(1, 2) + b"\x19" + bytes(8) + b"\x25" + bytes(4)
    assert protobuf.read(data) == {1: 2, 3: bytes(8), 4: bytes(4)}


@pytest.mark.parametrize(
    "data",
    [b"\x08", b"\x08\x80", b"\x0a\x05abc", b"\x00", b"\x0b", b"\x0f", b"\x09abc", b"\x08" + b"\xff" * 11, b"\x80"],
)
def test_broken_bytes_are_refused(data: bytes) -> None:
    """Truncation, groups, field 0 and endless varints raise Malformed and nothing else."""
    with pytest.raises(Malformed):
        list(protobuf.fields(data))


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No input raises anything but Malformed."""
    with contextlib.suppress(Malformed):
        assert all(number > 0 for number, _ in protobuf.fields(data))


def test_integers_beyond_64_bits_are_refused() -> None:
    """Rather than cut off."""
    with pytest.raises(Malformed, match="64 bits"):
        protobuf.uint(1, 2**64)
