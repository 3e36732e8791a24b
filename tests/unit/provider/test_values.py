"""Values survive the way between Terraform's bytes and Python."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flinkform.provider.protocol import msgpack, protobuf
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.provider.values import NULL, Form, known, same, settled
from flinkform.resources import RESOURCES
from flinkform.resources.job import RESOURCE
from tests.unit.provider.core import configs

FORM = Form(RESOURCE.attributes)


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda r: r.name)
@settings(max_examples=25)
@given(data=st.data())
def test_there_and_back(resource: Any, data: st.DataObject) -> None:
    """For every type: what is written is read as it was, unknown values too."""
    form, values = Form(resource.attributes), data.draw(configs(resource, unknown=True))
    assert form.load(form.dump(values)) == values


def test_null() -> None:
    """An object that is not there is null both ways."""
    assert FORM.load(NULL) is None
    assert FORM.load(b"") is None
    assert FORM.dump(None) == NULL


def test_json() -> None:
    """Old states come as JSON."""
    assert FORM.load(protobuf.bytes_(2, b'{"name": "a", "parallelism": 2}')) == {"name": "a", "parallelism": 2}


@pytest.mark.parametrize(("text", "number"), [("0.1", 0.1), ("18446744073709551616", 2**64), ("x", "x")])
def test_numbers(text: str, number: Any) -> None:
    """Numbers that no float64 holds come as text and are numbers here."""
    packed = protobuf.bytes_(1, msgpack.pack({"parallelism": text, "name": "0.1"}))
    assert FORM.load(packed) == {"parallelism": number, "name": "0.1"}


@pytest.mark.parametrize(("left", "right"), [(None, {}), ("", None), ([], {}), (1, 1.0), (UNKNOWN, UNKNOWN)])
def test_same(left: Any, right: Any) -> None:
    """Nothing is nothing, however it is written."""
    assert same(left, right)
    assert same(right, left)


@pytest.mark.parametrize(("left", "right"), [(None, 0), (None, False), (UNKNOWN, None), ({"a": None}, {})])
def test_different(left: Any, right: Any) -> None:
    """Zero and false are something, and what is unknown is like nothing else."""
    assert not same(left, right)


def test_settled() -> None:
    """A state holds nothing unknown, however deep."""
    value = {"a": UNKNOWN, "b": [UNKNOWN, {"c": UNKNOWN}], "d": 1}
    assert not known(value)
    assert settled(value) == {"a": None, "b": [None, {"c": None}], "d": 1}
    assert known(settled(value))
