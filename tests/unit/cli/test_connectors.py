"""`flinkform connectors`: what it prints, for people and for scripts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flinkform.cli import main as command


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a home in which a connector of the catalogue and one by hand are installed."""
    monkeypatch.setenv("FLINKFORM_HOME", str(tmp_path))
    folder = tmp_path / "connectors" / "2.3"
    for name in ("kafka", "mine"):
        (folder / name).mkdir(parents=True)
        (folder / name / f"{name}.jar").touch()
    return folder


def test_list(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that can be installed is listed with the words of scripts, and what is there is marked."""
    assert command.main(["connectors", "list", "--engine", "2.3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["NAME", "INSTALLED"]
    assert lines[1].startswith("kafka ")
    assert "yes" in lines[1]
    assert "upsert-kafka" in lines[1]
    assert any(line.startswith("jdbc ") and " yes " not in line for line in lines)
    assert any(line.startswith("mine ") and "by hand" in line for line in lines)
    assert command.main(["connectors", "list", "--engine", "2.3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["engine"], said["folder"]) == ("2.3", str(place))
    assert [row["name"] for row in said["connectors"] if row["installed"]] == ["kafka", "mine"]
    assert said["connectors"][0]["artifacts"][0]["coordinates"].startswith(
        "org.apache.flink:flink-sql-connector-kafka:"
    )


def test_remove(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A connector can be taken away once."""
    words = ["connectors", "remove", "kafka", "--engine", "2.3.0", "--json"]
    assert command.main(words) == 0
    assert json.loads(capsys.readouterr().out) == {"engine": "2.3", "removed": ["kafka"]}
    assert not (place / "kafka").exists()
    assert command.main(words) == 1


def test_install_looks_at_every_name_first(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One wrong name, and nothing is fetched."""
    assert command.main(["connectors", "install", "avro", "hologres", "--engine", "2.3"]) == 1
    assert "got 'hologres'" in capsys.readouterr().err
    assert not (place / "avro").exists()
