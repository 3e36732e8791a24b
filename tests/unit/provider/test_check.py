"""Validation finds every fault, each at its attribute, and asks nothing that is not known."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.provider.check import faults
from flinkform.provider.describe import SETTINGS
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.resources.job import RESOURCE
from flinkform.schema.model import Attribute
from flinkform.schema.types import Number


def found(**values: Any) -> dict[tuple[str | int, ...], str]:
    return {fault.at: str(fault) for fault in faults(RESOURCE.attributes, {"sql": "SELECT 1", **values})}


def test_all_at_once() -> None:
    """Every fault is told, with the path of its attribute, however deep."""
    told = found(
        state="jumping",
        parallelism=0,
        upgrade={"mode": "magic", "fallback": None},
        logging={"root": "LOUD", "a": "INFO"},
        timeouts={"create": "soon", "update": UNKNOWN},
        flink_options={"a": None},
    )
    assert set(told) == {
        ("state",),
        ("parallelism",),
        ("upgrade", "mode"),
        ("logging", "root"),
        ("timeouts", "create"),
        ("flink_options", "a"),
    }
    assert told["state",] == "expected one of running, suspended, got 'jumping'"


@pytest.mark.parametrize("value", [None, UNKNOWN])
def test_not_known(value: Any) -> None:
    """What is null or not known yet has no faults."""
    assert not found(**{a.name: value for a in RESOURCE.attributes if a.name != "sql"})


def test_halves() -> None:
    """A fraction where a whole number is wanted is a fault."""
    assert found(parallelism=0.5)["parallelism",] == "expected a whole number, got 0.5"


def test_secret() -> None:
    """The fault of a sensitive attribute does not quote its value."""
    secret = Attribute(name="pin", type=Number(at_most=9), doc="", sensitive=True)
    (fault,) = faults((secret,), {"pin": 4711})
    assert "4711" not in str(fault)
    assert {a.name for a in SETTINGS if a.sensitive} == {"access_key_secret", "security_token"}
