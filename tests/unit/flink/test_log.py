"""Where jobs log, and the end of a log."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from flinkform.flink import log


def test_configuration(tmp_path: Path) -> None:
    """The configuration is XML whatever the folder is called, with a file for each job."""
    home = tmp_path / 'a & "b" <c>'
    (home / "conf").mkdir(parents=True)
    log.write(home, home / "logs")
    root = ET.parse(home / "conf" / "log4j2.xml").getroot()  # noqa: S314 -- our own file
    names = [element.get("fileName") for element in root.iter("RollingFile")]
    assert names == [str(home / "logs" / "flink.log"), str(home / "logs" / "${ctx:flink-job-id}.log")]


def test_path(tmp_path: Path) -> None:
    """Only a job that has logged has a file, and an id is no way out of the folder."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "abc.log").touch()
    (tmp_path / "secret.log").touch()
    assert log.path(tmp_path / "logs", "abc") == tmp_path / "logs" / "abc.log"
    assert log.path(tmp_path / "logs", "abd") is None
    assert log.path(tmp_path / "logs", "../secret") is None


@pytest.mark.parametrize(
    ("size", "text"), [(100, "one\ntwo\nthree\n"), (8, "three\n"), (14, "one\ntwo\nthree\n"), (3, "")]
)
def test_tail(tmp_path: Path, size: int, text: str) -> None:
    """A tail is whole lines within its size."""
    file = tmp_path / "x.log"
    file.write_text("one\ntwo\nthree\n")
    assert log.tail(file, size) == text
