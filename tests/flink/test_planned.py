"""`flinkform validate` on the real planner: scripts anywhere, all problems at once, and answers that are remembered."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Self

import pytest

from flinkform.cli import main as command
from flinkform.cli import planned
from flinkform.cli.planned import Script
from flinkform.cli.progress import Progress
from flinkform.cli.project import Project
from flinkform.cli.tools import Tool
from flinkform.flink.settings import Settings
from flinkform.flink.values import Seen

GOOD = """CREATE TABLE a (id INT) WITH ('connector' = 'datagen');
CREATE TABLE b (id INT) WITH ('connector' = 'blackhole');
INSERT INTO b SELECT id FROM a;
"""
BAD = GOOD.replace("SELECT id", "SELECT\tnope").replace("'datagen'", "'kafka'")


def test_remembered(
    java: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was asked once needs no Java, in no checkout, until the script or the connectors change."""
    assert java
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLINKFORM_HOME", str(tmp_path / "home"))
    for name, text in (("good", GOOD), ("bad", BAD)):
        (tmp_path / f"{name}.sql").write_text(text)
    assert command.main(["validate", "good.sql", "bad.sql", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["checked"] == 2
    assert [(p["file"], p["line"], p["column"]) for p in said["problems"]] == [("bad.sql", 1, 45), ("bad.sql", 3, 22)]
    assert "`flinkform connectors install kafka` brings it" in said["problems"][0]["message"]
    assert said["problems"][1]["excerpt"] == "INSERT INTO b SELECT\tnope FROM a;"

    monkeypatch.setattr("flinkform.cli.tools.java", lambda _: pytest.fail("the planner is asked again"))
    assert command.main(["validate", "."]) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "    INSERT INTO b SELECT\tnope FROM a;",
        "    " + " " * 20 + "\t^",
    ]
    (tmp_path / "home" / "connectors" / "2.3" / "mine").mkdir(parents=True)
    (tmp_path / "home" / "connectors" / "2.3" / "mine" / "mine.jar").touch()
    with pytest.raises(pytest.fail.Exception, match="asked again"):
        command.main(["validate", "good.sql"])


def test_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each script is planned by the release that it names where that is installed, once, and by the usual one else."""
    asked: list[tuple[str, str]] = []

    class Told:
        def __init__(self, settings: Settings) -> None:
            self._line = settings.engine

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return

        def look(self, script: str, *, batch: bool, options: object) -> Seen:
            assert (batch, options) == (False, {})
            asked.append((self._line, script))
            return Seen(())

    here = Project(root=tmp_path, home=tmp_path / "home", shell={})
    (here.home / "engines" / "1.20" / "pyflink" / "lib").mkdir(parents=True)
    (here.home / "engines" / "1.20" / "pyflink" / "lib" / "flink-dist-1.20.5.jar").touch()
    monkeypatch.setattr("flinkform.cli.planned.Planner", Told)
    monkeypatch.setattr("flinkform.cli.tools.java", lambda _: Tool("java", "/java", "17", "", ""))
    lines = {"old": planned.engine(here, "1.20"), "older": planned.engine(here, "2.2"), "usual": ""}
    assert lines == {"old": "1.20", "older": "", "usual": ""}
    scripts = [Script(name, name, batch=False, options={}, engine=line) for name, line in lines.items()]
    with Progress().step("checking") as step:
        for _ in range(2):
            assert planned.check(here, scripts, step) == []
    assert sorted(asked) == [("", "older"), ("", "usual"), ("1.20", "old")]
