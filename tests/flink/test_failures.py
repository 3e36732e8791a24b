"""Jobs that fail on real Flink: why, where in the script, and what to do, in words."""

from __future__ import annotations

import uuid

import pytest

from flinkform.flink.culprit import traced
from flinkform.flink.runtime import Embedded
from flinkform.flink.values import Diagnosis, Phase, Submission
from tests.flink.conftest import until

TABLES = """CREATE TABLE source (id INT, name STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '10');
CREATE TABLE numbers (a INT) WITH ('connector' = 'blackhole');
CREATE TABLE others (a INT) WITH ('connector' = 'blackhole');
"""
"""Three lines: what is added begins at line 4."""

FILE = """CREATE TABLE files (id INT, name STRING) WITH (
  'connector' = 'filesystem',
  'path' = '{path}',
  'format' = '{format}'
);
INSERT INTO numbers SELECT id FROM files;"""

SCRIPTS = {
    "division": "INSERT INTO numbers\nSELECT\n  id,\n  CAST(id AS INT) / (id - id)\nFROM source;".replace(
        "  id,\n", ""
    ),
    "set": "EXECUTE STATEMENT SET BEGIN\nINSERT INTO numbers SELECT id FROM source;\n\n"
    "INSERT INTO others SELECT id -- a/b\n  / (id - id) FROM source;\nEND;",
    "view": "CREATE VIEW ratios AS\nSELECT id % (id - id) AS r FROM source;\nINSERT INTO numbers SELECT r FROM ratios;",
    "behind": "INSERT INTO others SELECT id FROM source;\nINSERT INTO numbers\n"
    "SELECT CAST(COUNT(*) AS INT) / (MAX(id) - MAX(id)) FROM source;",
    "cast": "INSERT INTO others SELECT id / 2 FROM source;\nINSERT INTO numbers SELECT\n  CAST(name AS INT)\n"
    "FROM source;",
    "either": "INSERT INTO numbers SELECT 1 / id / (id - id) FROM source;\n"
    "INSERT INTO others SELECT 2 / (id - id) FROM source;",
    "null": "CREATE TABLE whole (a INT NOT NULL) WITH ('connector' = 'blackhole');\n"
    "INSERT INTO whole SELECT NULLIF(id, id) FROM source;",
    "json": FILE,
    "csv": FILE,
    "missing": FILE,
    "folder": "CREATE TABLE files (id INT) WITH ('connector' = 'filesystem',\n"
    "  'path' = '/proc/no/such', 'format' = 'csv');\nINSERT INTO files SELECT id FROM source;",
    "scheme": "CREATE TABLE files (id INT) WITH ('connector' = 'filesystem',\n"
    "  'path' = 'gopher://b/x', 'format' = 'csv');\nINSERT INTO files SELECT id FROM source;",
    "slow": "SET 'execution.checkpointing.timeout' = '10 ms';\n"
    "SET 'execution.checkpointing.tolerable-failed-checkpoints' = '0';\n"
    "SET 'execution.checkpointing.interval' = '50 ms';\nINSERT INTO numbers SELECT id FROM source;",
}
TOLD = {
    "division": ("arithmetic failed (/ by zero)", 6, "NULLIF"),
    "set": ("arithmetic failed (/ by zero)", 8, "NULLIF"),
    "view": ("arithmetic failed (/ by zero)", 5, "NULLIF"),
    "behind": ("arithmetic failed (/ by zero)", 6, "NULLIF"),
    "cast": ("a value could not be converted", 6, "TRY_CAST"),
    "either": ("arithmetic failed (/ by zero)", 0, "NULLIF"),
    "null": ("a null was written into column a", 5, "not-null-enforcer"),
    "json": ("a message could not be read in the table's format (Unrecognized token 'not'", 7, "ignore-parse-errors"),
    "csv": ('a message could not be read in the table\'s format (For input string: "x"', 7, "ignore-parse-errors"),
    "missing": ("a file is missing: ", 6, "check the path"),
    "folder": ("the folder /proc/no", 5, "check the path"),
    "scheme": ("no file system for gopher:// is installed", 5, "install its plugin"),
    "slow": ("checkpoints take too long", 0, "execution.checkpointing.timeout"),
}


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The scripts, with the files that they read."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "bad.json").write_text('{"id": 1}\nnot json\n')
    (folder / "bad.csv").write_text("1,a\nx,b\n")
    paths = {"json": folder / "bad.json", "csv": folder / "bad.csv", "missing": folder / "no-such"}

    def whole(name: str, script: str) -> str:
        if name in paths:
            script = script.replace("{path}", str(paths[name])).replace("{format}", "json" if name == "json" else "csv")
        return TABLES + script

    return {name: whole(name, script) for name, script in SCRIPTS.items()}


@pytest.fixture(scope="module")
def told(flink: Embedded, scripts: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Diagnosis]:
    """Why each of the scripts failed; they run side by side, as many as there are slots for."""
    place = str(tmp_path_factory.mktemp("state"))
    once = {"restart-strategy.type": "none"}
    found = {}
    for names in batched(list(scripts), 6):
        jobs = {name: Submission(uuid.uuid4().hex, name, scripts[name], place, place, options=once) for name in names}
        for job in jobs.values():
            flink.submit(job)
        for name, job in jobs.items():
            until(lambda made=job.id: flink.observe()[made].state.final)
            assert flink.observe()[job.id].state is Phase.FAILED
            why = flink.failure(job.id)
            assert why
            found[name] = traced(why, scripts[name])
    return found


def batched(names: list[str], size: int) -> list[list[str]]:
    return [names[start : start + size] for start in range(0, len(names), size)]


@pytest.mark.parametrize("name", SCRIPTS)
def test_failure(name: str, scripts: dict[str, str], told: dict[str, Diagnosis]) -> None:
    """The reason, the line of the script that it comes from or none where several could be meant, and what to do."""
    reason, line, advice = TOLD[name]
    found = told[name]
    assert found.reason.startswith(reason)
    assert (found.line, advice in found.advice) == (line, True), str(found)
    if line:
        assert found.excerpt == " ".join(scripts[name].splitlines()[line - 1].split())[: len(found.excerpt)]
