"""`flinkform validate` on the real planner: scripts anywhere, all problems at once, and answers that are remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flinkform.cli import main as command

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
