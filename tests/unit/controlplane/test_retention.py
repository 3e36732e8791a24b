"""How many savepoints are kept, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flinkform.controlplane.retention import Kept, Policy, surplus
from flinkform.controlplane.settings import from_environment
from flinkform.errors import Invalid

HOUR = 3_600_000
FOUND = [Kept(str(n), n * HOUR) for n in range(1, 6)]


@pytest.mark.parametrize(
    ("policy", "needed", "gone"),
    [
        (Policy(newest=2), (), "321"),
        (Policy(newest=2), ("3", "1"), "2"),
        (Policy(newest=9), (), ""),
        (Policy(newest=0), (), "54321"),
        (Policy(newest=0, age=2 * HOUR), (), "321"),
        (Policy(newest=3, age=2 * HOUR), (), "21"),
        (Policy(newest=1, age=9 * HOUR), (), ""),
    ],
)
def test_surplus(policy: Policy, needed: tuple[str, ...], gone: str) -> None:
    """What goes is neither among the newest, nor young, nor needed."""
    found = surplus(reversed(FOUND), policy, needed=needed, now=6 * HOUR)
    assert "".join(found) == gone


def test_labels() -> None:
    """A deployment's labels win over the settings, one by one."""
    assert Policy().of({"team": "a"}) == Policy()
    assert Policy(7, HOUR).of({"savepoints.newest": "2"}) == Policy(2, HOUR)
    assert Policy(7).of({"savepoints.age": "7d"}) == Policy(7, 7 * 24 * HOUR)


@pytest.mark.parametrize("text", ["", "7", "7 d", "d", "-1h", "1w", "9999999999h"])
def test_no_duration(text: str) -> None:
    """A number without a unit could mean anything."""
    with pytest.raises(Invalid, match="expected a duration such as"):
        Policy().of({"savepoints.age": text})


@pytest.mark.parametrize("text", ["", "-1", "many", "1.5"])
def test_no_number(text: str) -> None:
    """What is no number is refused by name."""
    with pytest.raises(Invalid, match="expected how many savepoints are kept"):
        Policy().of({"savepoints.newest": text})


def test_settings() -> None:
    """The control plane's own policy comes from its environment, and what makes no sense is refused by name."""
    given: dict[str, Any] = {"home": Path("/h"), "host": "127.0.0.1", "port": 0, "java": None}
    shell = {"FLINKFORM_SAVEPOINTS_NEWEST": "9", "FLINKFORM_SAVEPOINTS_AGE": "36h"}
    assert from_environment(shell, **given).retention == Policy(9, 36 * HOUR)
    assert from_environment({}, **given).retention == Policy(5, None)
    with pytest.raises(Invalid, match=r"^FLINKFORM_SAVEPOINTS_AGE: expected a duration"):
        from_environment({"FLINKFORM_SAVEPOINTS_AGE": "soon"}, **given)


def test_filesystem() -> None:
    """Flink learns of S3 what AWS' own variables say, and nothing else; a store of one's own is known by its path."""
    given: dict[str, Any] = {"home": Path("/h"), "host": "127.0.0.1", "port": 0, "java": None}
    assert from_environment({"AWS_PROFILE": "x", "PATH": "/"}, **given).filesystem == {}
    shell = {"AWS_ENDPOINT_URL": "http://a", "AWS_ENDPOINT_URL_S3": "http://b", "AWS_SECRET_ACCESS_KEY": "hidden"}
    found = from_environment(shell, **given)
    assert found.filesystem == {
        "s3.endpoint": "http://b",
        "s3.secret-key": "hidden",
        "s3.path.style.access": "true",
    }
    assert "hidden" not in repr(found)
