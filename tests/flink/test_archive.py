"""The archive of Flink's classes: made once, used by the next start, and never in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.errors import Missing, Unavailable
from flinkform.flink import engines
from flinkform.flink.archive import Archivist
from flinkform.flink.jvm import Jvm, archived
from flinkform.flink.settings import Settings


def test_key(settings: Settings, tmp_path: Path) -> None:
    """Another Java or other jars mean another archive; without a folder there is none."""
    java = tmp_path / "java"
    java.touch()
    here = replace(settings, archive=tmp_path)
    assert archived(replace(settings, archive=None), engines.find(None)) is None
    assert archived(here, engines.find(None)) == archived(here, engines.find(None))
    assert archived(here, engines.find(None)) != archived(replace(here, java=java), engines.find(None))


def test_a_spoilt_archive_costs_nothing(settings: Settings, tmp_path: Path) -> None:
    """A file that is no archive is ignored by Java, and what it says of it is not taken for an answer."""
    here = replace(settings, home=tmp_path / "home", archive=tmp_path)
    place = archived(here, engines.find(None))
    assert place is not None
    place.write_bytes(b"no archive")
    jvm = Jvm(here)
    jvm.start()
    jvm.stop()


def test_failed_builds_leave_nothing(settings: Settings, tmp_path: Path) -> None:
    """Without a Java that runs nothing is made, and nothing half-made is left."""
    java = tmp_path / "java"
    java.touch()
    with pytest.raises((Missing, Unavailable)):
        Archivist(replace(settings, java=java, archive=tmp_path / "archive")).build()
    assert list((tmp_path / "archive").iterdir()) == []


def test_one_folder_for_many(settings: Settings, tmp_path: Path) -> None:
    """What is there is used by every home; what another process builds beside it is left alone."""
    place = archived(replace(settings, archive=tmp_path), engines.find(None))
    other = tmp_path / "other.new"
    other.mkdir()
    assert place is not None
    place.touch()
    for home in ("one", "two"):
        assert Archivist(replace(settings, home=tmp_path / home, archive=tmp_path)).build() == place
    assert other.exists()
