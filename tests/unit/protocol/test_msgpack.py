"""Terraform values as msgpack."""

from __future__ import annotations

import contextlib
import copy
import enum
import math
import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flinkform.provider.protocol import msgpack
from flinkform.provider.protocol.faults import Malformed
from flinkform.provider.protocol.msgpack import UNKNOWN

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=300),
    st.binary(max_size=300),
    st.just(UNKNOWN),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=20), st.dictionaries(st.text(max_size=40), inner, max_size=20)),
    max_leaves=40,
)


@settings(max_examples=60)
@given(VALUES)
def test_what_is_packed_is_unpacked(value: Any) -> None:
    """Every value Terraform has comes back, unknowns as themselves."""
    assert msgpack.unpack(msgpack.pack(value)) == value


@settings(max_examples=150)
@given(st.binary(max_size=80))
def test_any_bytes_are_unpacked_or_refused(data: bytes) -> None:
    """No input raises anything but Malformed."""
    with contextlib.suppress(Malformed):
        msgpack.pack(msgpack.unpack(data))


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("00", 0),
        ("7f", 127),
        ("e0", -32),
        ("cc80", 128),
        ("cd0100", 256),
        ("ce00010000", 65536),
        ("cfffffffffffffffff", 2**64 - 1),
        ("d080", -128),
        ("d1ff00", -256),
        ("d2ffff0000", -65536),
        ("d38000000000000000", -(2**63)),
        ("ca3f800000", 1.0),
        ("cb3fb999999999999a", 0.1),
        ("a161", "a"),
        ("d90161", "a"),
        ("da000161", "a"),
        ("db0000000161", "a"),
        ("c40161", b"a"),
        ("c5000161", b"a"),
        ("c60000000161", b"a"),
        ("9101", [1]),
        ("dc000101", [1]),
        ("dd0000000101", [1]),
        ("81a16101", {"a": 1}),
        ("de0001a16101", {"a": 1}),
        ("df00000001a16101", {"a": 1}),
        ("81d9016101", {"a": 1}),
        ("d40000", UNKNOWN),  # what cty writes for unknown
        ("c7030c8101c3", UNKNOWN),  # refined: not null
        ("d50c8101", UNKNOWN),
        ("c800030c8101c3", UNKNOWN),
    ],
)
def test_every_form_is_read(data: str, value: Any) -> None:
    """Each lead byte of the specification, unknowns plain and refined."""
    assert msgpack.unpack(bytes.fromhex(data)) == value


class Colour(str, enum.Enum):  # noqa: UP042  its str() is its name, which a StrEnum's is not
    """A string by another name."""

    RED = "red"


class Size(enum.IntEnum):
    """A number by another name."""

    BIG = 7


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (2**64, "18446744073709551616"),
        (-(2**63) - 1, "-9223372036854775809"),
        (Decimal("0.1"), "0.1"),
        (Decimal("1E+400"), "1E+400"),
        ((1, 2), [1, 2]),
        (Colour.RED, "red"),
        (Size.BIG, 7),
        (math.inf, math.inf),
    ],
)
def test_what_has_no_form_of_its_own(value: object, arrives: object) -> None:
    """Large and decimal numbers travel as text, as cty wants them; subclasses as what they hold."""
    assert msgpack.unpack(msgpack.pack(value)) == arrives


@pytest.mark.parametrize("size", [15, 16, 31, 32, 255, 256, 65535, 65536])
def test_lengths_at_the_edges(size: int) -> None:
    """Text, bytes, lists and maps cross each length form unharmed."""
    for value in ("x" * size, b"x" * size, [None] * size, dict.fromkeys(map(str, range(size)))):
        assert msgpack.unpack(msgpack.pack(value)) == value


@pytest.mark.parametrize(
    "value", [math.nan, Decimal("nan"), object(), {1: 2}, {None: 1}, "\ud800", 1 << 5000, {1, 2}], ids=repr
)
def test_what_terraform_cannot_hold_is_refused(value: object) -> None:
    """With Malformed, not with a broken message."""
    with pytest.raises(Malformed):
        msgpack.pack(value)


@pytest.mark.parametrize(
    "data", ["", "c1", "92c0", "a261", "c0c0", "d40100", "81c0c0", "a1ff", "db7fffffff61", "dd7fffffffc0", "cb00"]
)
def test_broken_bytes_are_refused(data: str) -> None:
    """Truncated, reserved, of a foreign extension, with keys that are no text, or more than one value."""
    with pytest.raises(Malformed):
        msgpack.unpack(bytes.fromhex(data))


def test_depth_is_bounded() -> None:
    """Both ways, before Python's own limit."""
    value: object = None
    for _ in range(msgpack.MAX_DEPTH):
        value = [value]
    assert msgpack.unpack(msgpack.pack(value)) == value
    with pytest.raises(Malformed, match="nested"):
        msgpack.pack([value])
    with pytest.raises(Malformed, match="nested"):
        msgpack.unpack(b"\x91" * 500 + b"\xc0")


def test_unknown_is_one_and_has_no_truth() -> None:
    """However it is copied it stays the one value, and asking it for truth is a bug that shows."""
    assert copy.deepcopy(UNKNOWN) is copy.copy(UNKNOWN) is pickle.loads(pickle.dumps(UNKNOWN)) is UNKNOWN  # noqa: S301  our own bytes
    assert repr(UNKNOWN) == "UNKNOWN"
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(UNKNOWN)
