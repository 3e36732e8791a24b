"""Engine versions carry the release of Flink."""

from __future__ import annotations

import pytest

from flinkform.openapi import engine


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("vvr-flinkform-flink-2.3", "2.3"),
        ("vvr-11.1-jdk11-flink-1.20", "1.20"),
        ("vvr-8.0.11-flink-1.17", "1.17"),
        ("flink-1.20", ""),
        ("vvr-x-flink-1.20.5", ""),
        ("", ""),
    ],
)
def test_line(name: str, line: str) -> None:
    """The embedded control plane's names and Alibaba's are read alike; what is neither names no release."""
    assert engine.line(name) == line


def test_name() -> None:
    """A line's own name leads back to it."""
    assert engine.line(engine.name("1.20")) == "1.20"
