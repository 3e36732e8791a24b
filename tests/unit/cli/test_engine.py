"""`flinkform engine`: what it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flinkform.cli import main as command


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a home in which 1.20 is installed."""
    monkeypatch.setenv("FLINKFORM_HOME", str(tmp_path))
    lib = tmp_path / "engines" / "1.20" / "pyflink" / "lib"
    lib.mkdir(parents=True)
    (lib / "flink-dist-1.20.5.jar").touch()
    return tmp_path / "engines"


def test_list(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each release is listed with the engine_version that asks for it."""
    assert root.is_dir()
    assert command.main(["engine", "list", "--json"]) == 0
    rows = {row["engine"]: row for row in json.loads(capsys.readouterr().out)["engines"]}
    assert [line for line, row in rows.items() if row["installed"]] == ["2.3", "1.20"]
    assert rows["1.20"]["version"] == "1.20.5"
    assert rows["1.20"]["engine_version"] == "vvr-flinkform-flink-1.20"
    assert command.main(["engine", "list"]) == 0
    assert "1.20.5" in capsys.readouterr().out


def test_install_of_what_is_there(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is fetched twice, and what there is none of is refused."""
    assert root.is_dir()
    assert command.main(["engine", "install", "1.20"]) == 0
    assert "engine_version: vvr-flinkform-flink-1.20" in capsys.readouterr().out
    assert command.main(["engine", "install", "1.19"]) == 1
    assert "expected 2.2 or 1.20, got '1.19'" in capsys.readouterr().err


def test_remove(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A release can be taken away once."""
    assert command.main(["engine", "remove", "1.20", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"removed": "1.20"}
    assert not (root / "1.20").exists()
    assert command.main(["engine", "remove", "1.20"]) == 1
