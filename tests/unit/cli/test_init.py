"""A repository to begin with, and its pipelines written anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flinkform.cli import main as command
from flinkform.cli.init import scaffold
from flinkform.jobfile.settings import HOSTS

ROOT = Path(__file__).parents[3]


def test_the_example_is_what_init_writes() -> None:
    """`examples/minimal` to the byte, and nothing else beside it."""
    folder = ROOT / "examples" / "minimal"
    ours = {"__pycache__", "cdktf.out", ".flinkform"}
    there = {
        file.relative_to(folder).as_posix(): file.read_text()
        for file in folder.rglob("*")
        if file.is_file() and not ours.intersection(file.parts)
    }
    assert there == scaffold("minimal", HOSTS)


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In a Git repository with files of its own these stay; a second `init` is refused."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "README.md").write_text("mine")
    assert command.main(["init", str(tmp_path), "--name", "shop", "--ci", "gitlab", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kept"] == ["README.md"]
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (tmp_path / ".gitlab-ci.yml").exists()
    assert not (tmp_path / "Jenkinsfile").exists()
    assert "name: shop-prod" in (tmp_path / "environments/prod.yaml").read_text()
    assert command.main(["init", str(tmp_path)]) == 1
    assert "is an infrastructure repository already" in capsys.readouterr().err


def test_a_folder_with_other_things(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is written into a folder that is neither empty nor a Git repository."""
    (tmp_path / "notes").touch()
    assert command.main(["init", str(tmp_path)]) == 1
    assert "is neither empty nor a Git repository; nothing was written" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["notes"]
    assert command.main(["init", str(tmp_path / "new"), "--name", "New Shop"]) == 1
    assert not (tmp_path / "new").exists()


def test_pipelines_follow_what_is_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`ci` writes what differs; `--check` writes nothing and fails where something would be another."""
    monkeypatch.chdir(tmp_path)
    assert command.main(["init", "--name", "shop"]) == 0
    assert command.main(["ci", "--check"]) == 0
    prod = Path("environments/prod.yaml")
    prod.write_text(prod.read_text().replace("approvals: 1", "approvals: 0"))
    before = Path("Jenkinsfile").read_text()
    assert command.main(["ci", "--check"]) == 1
    assert "run `flinkform ci`" in capsys.readouterr().err
    assert Path("Jenkinsfile").read_text() == before
    assert command.main(["ci", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["written"]) == 3
    assert "approve" not in Path("Jenkinsfile").read_text()
    settings = Path("flinkform.yaml")
    settings.write_text(settings.read_text().replace("[dev, prod]", "[dev, nowhere]"))
    assert command.main(["ci"]) == 1
    assert "ci.environments names nowhere" in capsys.readouterr().err
    settings.write_text("ci: {hosts: [bitbucket]}\n")
    assert command.main(["ci"]) == 1
    assert "flinkform.yaml:1:" in capsys.readouterr().err
