"""Two releases of Flink side by side, and a job that goes from one to the other with its state."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flinkform.cli import main as command
from flinkform.flink import engines
from tests.flink.plane import Plane, plane, wait
from tests.flink.services import CACHE

pytestmark = pytest.mark.skipif(
    os.environ.get("FLINKFORM_HEAVY") != "1", reason="fetches 220 MB and runs two JVMs: make engines"
)
COUNTING = """
CREATE TABLE numbers (n BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '50', 'fields.n.kind' = 'sequence',
  'fields.n.start' = '1', 'fields.n.end' = '100000');
CREATE TABLE seen (total BIGINT, highest BIGINT) WITH ('connector' = 'print', 'print-identifier' = 'seen');
INSERT INTO seen SELECT COUNT(*), MAX(n) FROM numbers;
"""


@pytest.fixture
def served(java: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plane]:
    """A control plane beside which Flink 1.20 is installed."""
    assert java
    monkeypatch.setenv("FLINKFORM_HOME", str(CACHE))
    if command.main(["engine", "install", "1.20"]):
        pytest.skip("Flink 1.20 is not to be had")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "engines").symlink_to(CACHE / "engines")
    with plane(tmp_path / "home") as made:
        yield made


def counts(served: Plane, folder: str) -> list[tuple[int, int]]:
    """Each (count, maximum) that a JVM printed; the two are equal as long as nothing is lost or doubled."""
    path = served.home / "flink" / folder / "jvm.out"
    found = re.findall(r"seen> \+[IU]\[(\d+), (\d+)\]", path.read_text() if path.exists() else "")
    return [(int(count), int(highest)) for count, highest in found]


def test_upgrade(served: Plane) -> None:
    """A job of 1.20 runs beside 2.3, which says why it cannot take its state; back in 1.20 it goes on exactly."""
    assert engines.installed(served.home / "engines")[-1] == "1.20"
    old = served.deploy("old", COUNTING, engine="1.20")
    job = served.start(old)
    assert served.until(job, "RUNNING") == "RUNNING", served.reason(job)
    [folder] = [path.relative_to(served.home / "flink") for path in (served.home / "flink" / "seats").iterdir()]
    wait(lambda: len(counts(served, str(folder))) > 20, "counts")
    served.stop(job, "STOP_WITH_SAVEPOINT")
    assert served.until(job) == "CANCELLED", served.reason(job)
    before = counts(served, str(folder))[-1]
    newer = {"engineVersion": "vvr-flinkform-flink-2.3"}
    foreseen = served.call("GetStateVerdict", {"deploymentId": old}, newer)
    assert foreseen["verdict"] == "lost"
    assert "Flink runs it in another way" in str(foreseen["operators"])
    served.update(old, **newer)
    again = served.start(old, "LATEST_SAVEPOINT")
    assert served.until(again, "RUNNING") == "FAILED"
    assert "would drop state" in served.reason(again)
    assert "Flink runs it in another way" in served.reason(again)
    served.update(old, engineVersion="vvr-flinkform-flink-1.20")
    back = served.start(old, "LATEST_SAVEPOINT")
    assert served.until(back, "RUNNING") == "RUNNING", served.reason(back)
    wait(lambda: counts(served, str(folder))[-1] > before, "counts after the way back")
    assert next(one for one in counts(served, str(folder)) if one > before) == (before[0] + 1, before[1] + 1)
    assert counts(served, ".") == []


@pytest.mark.usefixtures("served")
def test_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`flinkform verdict` says of a change of release what the control plane says; of none that all is kept."""
    (tmp_path / "old.sql").write_text(COUNTING)
    words = ["verdict", str(tmp_path / "old.sql"), str(tmp_path / "old.sql"), "--json"]
    assert command.main([*words, "--old-engine", "1.20"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "lost"
    assert command.main([*words, "--engine", "1.20"]) == 0
    assert json.loads(capsys.readouterr().out)["verdict"] == "same"
