"""Where `flinkform controlplane` keeps things when it is not told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from flinkform.cli import main as command
from flinkform.controlplane import server
from flinkform.controlplane.settings import Settings


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings of every control plane that was run."""
    found: list[Settings] = []

    def run(settings: Settings, **_: Any) -> None:
        found.append(settings)

    monkeypatch.setattr(server, "run", run)
    return found


def test_the_home_is_the_repositorys(served: list[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--home, else FLINKFORM_HOME, else `.flinkform` beside cdktf.json, as for every other command."""
    (tmp_path / "cdktf.json").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLINKFORM_HOME", raising=False)
    assert command.main(["controlplane"]) == 0
    monkeypatch.setenv("FLINKFORM_HOME", str(tmp_path / "else"))
    assert command.main(["controlplane"]) == 0
    assert command.main(["controlplane", "--home", str(tmp_path / "given")]) == 0
    assert [one.home for one in served] == [tmp_path / ".flinkform", tmp_path / "else", tmp_path / "given"]


def test_nowhere_is_an_error(
    served: list[Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Outside a repository and without a word, nothing is written anywhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLINKFORM_HOME", raising=False)
    assert command.main(["controlplane"]) == 1
    assert f"no cdktf.json in {tmp_path} or above" in capsys.readouterr().err
    assert served == []
