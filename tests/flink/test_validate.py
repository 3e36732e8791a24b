# ruff: noqa: S608 -- scripts are made of parts
"""What the real planner says about scripts, and that it never runs them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.flink.places import mentioned, places
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings
from flinkform.flink.validate import Planner
from flinkform.flink.values import Problem

TABLES = """CREATE TABLE source (id INT, name STRING) WITH ('connector' = 'datagen');
CREATE TABLE sink (id INT) WITH ('connector' = 'blackhole');
"""
VIEW = "CREATE TEMPORARY VIEW v AS SELECT * FROM source;"
WRITE = "INSERT INTO sink SELECT id FROM source;"


def check(planner: Planner, script: str, *, batch: bool = False) -> list[Problem]:
    return planner.validate(script, batch=batch, options={})


def place(problem: Problem) -> tuple[int, int, int, int]:
    return problem.line, problem.column, problem.end_line, problem.end_column


@pytest.mark.parametrize(
    "script",
    [
        TABLES + WRITE,
        "SET 'execution.runtime-mode' = 'batch';"
        + TABLES.replace("datagen'", "datagen', 'number-of-rows' = '9'")
        + WRITE,
        TABLES + "SET 'table.local-time-zone' = 'UTC';" + WRITE,
        TABLES + "EXECUTE STATEMENT SET BEGIN " + WRITE + WRITE + " END;",
        TABLES + "BEGIN STATEMENT SET; " + WRITE + WRITE + " END;",
        TABLES + VIEW + WRITE.replace("source", "v"),
        "CREATE DATABASE d; USE d; DROP TABLE IF EXISTS sink;" + TABLES + WRITE,
        "-- only // comments ; here\n" + TABLES + "/* ' */ " + WRITE + "// 'the end",
        TABLES + WRITE.replace("source", "source /*+ OPTIONS('fields.name.length' = '3') */"),
    ],
)
def test_clean(planner: Planner, script: str) -> None:
    """What Flink accepts has no problems: modes, statement sets, views, databases, comments."""
    assert check(planner, script) == []


@pytest.mark.parametrize(
    ("option", "value"), [("parallelism.default", "many"), ("execution.checkpointing.interval", "soon")]
)
def test_option_with_no_such_value(planner: Planner, option: str, value: str) -> None:
    """A Flink option with a value that is none is a problem of the job, and names the option."""
    [problem] = planner.validate(TABLES + WRITE, batch=False, options={option: value})
    assert place(problem) == (1, 1, 1, 1)
    assert problem.message == f"Flink options: Could not parse value '{value}' for key '{option}'."
    assert problem.option == option


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_place(planner: Planner, newline: str, mark: str) -> None:
    """A problem's place is the script's, whatever ends its lines and whatever stands before it."""
    insert = "-- ü\n  /* 😀 */ INSERT INTO sink\n  SELECT 'ä😀' || nope, id FROM source;"
    script = mark + (TABLES + insert).replace("\n", newline)
    [problem] = check(planner, script)
    assert (place(problem), problem.message) == ((5, 18, 5, 21), "Column 'nope' not found in any table")


def test_first_line_has_no_mark(planner: Planner) -> None:
    """The byte order mark takes no column on the first line."""
    [problem] = check(planner, "\ufeffINSRT INTO sink SELECT 1")
    assert place(problem)[:2] == (1, 1)


def test_several(planner: Planner) -> None:
    """Every statement is looked at; one that is broken only because an earlier one is broken is not told."""
    script = (
        "CREATE TABLE source (id INT WITH ('connector' = 'datagen');\n"
        + TABLES.partition("\n")[2]
        + WRITE
        + "\nSELEC 1;"
    )
    found = check(planner, script)
    assert [problem.line for problem in found] == [1, 4]
    assert 'Encountered "WITH"' in found[0].message
    assert "Was expecting" not in found[0].message


def test_unknown_connector(planner: Planner) -> None:
    """An unknown connector is told where it is named, with those that are present."""
    script = "CREATE TABLE sink (id INT)\nWITH ( -- 'hologres'\n 'connector' = 'hologres');\nINSERT INTO sink SELECT 1;"
    [problem] = check(planner, script)
    assert place(problem) == (3, 16, 3, 25)
    assert problem.message.startswith("connector 'hologres' is not installed; present: blackhole, ")
    assert "datagen" in problem.message


def test_unknown_format(planner: Planner) -> None:
    """An unknown format is told like a connector."""
    script = (
        "CREATE TABLE sink (id INT) WITH ('connector' = 'filesystem',\n 'path' = '/nowhere', 'format' = 'avro');\n"
        "INSERT INTO sink SELECT 1;"
    )
    [problem] = check(planner, script)
    assert (problem.line, problem.column) == (2, 34)
    assert problem.message == "format 'avro' is not installed; `flinkform connectors install avro` brings it"


def test_wrong_option(planner: Planner) -> None:
    """A connector's complaint is told at the option of the table, not at the INSERT that uses it."""
    script = (
        "CREATE TABLE sink (id INT) WITH ('connector' = 'blackhole', 'colour' = 'red');\nINSERT INTO sink SELECT 1;"
    )
    [problem] = check(planner, script)
    assert place(problem) == (1, 61, 1, 68)
    assert problem.message == "'blackhole' has no option 'colour'"


def test_optimiser(planner: Planner) -> None:
    """What only the optimiser finds is found, on the first line of its statement."""
    script = (
        TABLES
        + "CREATE TABLE f (id INT, c BIGINT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'csv');\n"
    )
    script += "INSERT INTO f\nSELECT id, COUNT(*) FROM source GROUP BY id;"
    [problem] = check(planner, script)
    assert place(problem) == (4, 1, 4, 13)
    assert "doesn't support consuming update changes" in problem.message


COPY = "CREATE TABLE t WITH ('connector' = 'filesystem', 'path' = '{out}', 'format' = 'csv') AS SELECT 1 AS x"
REFUSED = {
    COPY: "start a job",
    "COMPILE PLAN '{out}' FOR INSERT INTO sink SELECT 1": "expected CREATE",
    "COMPILE AND EXECUTE PLAN '{out}' FOR INSERT INTO sink SELECT 1": "start a job",
    "EXECUTE PLAN '{out}'": "start a job",
    "ADD JAR '{out}'": "jars are installed",
    "SELECT 1": "expected INSERT INTO",
    "TRUNCATE TABLE sink": "expected CREATE",
    "SHOW TABLES": "expected CREATE",
    "RESET 'a'": "expected CREATE",
    "SET": "expected SET 'key' = 'value'",
    "SET 'execution.runtime-mode' = 'batch'": "must be set before",
    "CREATE FUNCTION f AS 'x.Y' USING JAR '{out}'": "not fetched",
    "CREATE TEMPORARY SYSTEM FUNCTION f AS 'x.y' LANGUAGE PYTHON": "not supported",
    "STOP JOB 'x'": "expected CREATE",
    "CREATE OR REPLACE " + COPY[7:]: "start a job",
    "REPLACE " + COPY[7:]: "start a job",
    "CREATE MATERIALIZED TABLE m FRESHNESS = INTERVAL '1' HOUR AS SELECT 1 AS x": "expected CREATE",
    "CREATE TEMPORARY FUNCTION f AS 'x.Y' USING JAR '{out}'": "not fetched",
    "CREATE TEMPORARY SYSTEM FUNCTION f AS 'x.Y' USING JAR '{out}'": "not fetched",
    "REMOVE JAR '{out}'": "expected CREATE",
    "DELETE FROM sink WHERE id = 1": "expected CREATE",
    "UPDATE sink SET id = 1": "expected CREATE",
    "ANALYZE TABLE sink COMPUTE STATISTICS": "expected CREATE",
    "EXECUTE SELECT 1": "expected INSERT INTO",
    "SHOW JARS": "expected CREATE",
    "DESCRIBE sink": "expected CREATE",
    "CALL sys.nothing('x')": "expected CREATE",
    "EXPLAIN INSERT INTO sink SELECT 1": "expected CREATE",
}


@pytest.mark.parametrize("statement", REFUSED)
def test_refused(planner: Planner, tmp_path: Path, statement: str) -> None:
    """A statement that would do more than describe a job is refused at its place, and nothing of it happens."""
    out = tmp_path / "out"
    [problem] = check(planner, f"{TABLES}{WRITE}\n {statement.format(out=out)};")
    assert (problem.line, problem.column) == (4, 2)
    assert REFUSED[statement] in problem.message
    assert list(tmp_path.iterdir()) == []


def test_every_problem(planner: Planner) -> None:
    """A table that cannot be read or written hides nothing: every table and every statement is told about."""
    script = """CREATE TABLE a (id INT) WITH ('connector' = 'hologres');
CREATE TABLE b (id INT, name STRING) WITH ('connector' = 'datagen',
  'rows-per-secon' = '5', 'colour' = 'red');
CREATE TABLE c (id INT) WITH ('connector' = 'kafkaa');
CREATE TABLE d (id INT) WITH ('connector' = 'blackhole', 'colour' = 'red');
CREATE VIEW v AS SELECT a.id, name FROM a JOIN b ON a.id = b.id;
INSERT INTO c SELECT id FROM v;
INSERT INTO c SELECT nme FROM b;
INSERT INTO c SELECT id FROM nowhere;
"""
    found = [(problem.line, problem.column, problem.message.partition(";")[0]) for problem in check(planner, script)]
    assert found == [
        (1, 45, "connector 'hologres' is not installed"),
        (3, 3, "'datagen' has no option 'rows-per-secon'"),
        (3, 27, "'datagen' has no option 'colour'"),
        (4, 45, "connector 'kafkaa' is not installed"),
        (5, 58, "'blackhole' has no option 'colour'"),
        (8, 22, "Column 'nme' not found in any table"),
        (9, 30, "Object 'nowhere' not found"),
    ]


@pytest.mark.parametrize("form", ["EXECUTE STATEMENT SET BEGIN\n{}END;", "BEGIN STATEMENT SET;\n{}END;"])
def test_statement_set(planner: Planner, form: str) -> None:
    """Each statement of a set is looked at, and what only the optimiser finds is told at its own statement."""
    script = (
        TABLES
        + "CREATE TABLE f (id INT, c BIGINT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'csv');\n"
    )
    inserts = (
        "INSERT INTO sink SELECT nope FROM source;\n" + WRITE + "\n  INSERT INTO sink SELECT 'a' || 1 FROM sourc;\n"
    )
    found = check(planner, script + form.format(inserts))
    assert [(problem.line, problem.column) for problem in found] == [(5, 25), (7, 41)]
    counting = "INSERT INTO sink SELECT id FROM source;\n INSERT INTO f SELECT id, COUNT(*) FROM source GROUP BY id;\n"
    [problem] = check(planner, script + form.format(counting))
    assert (problem.line, problem.column) == (6, 2)
    assert "doesn't support consuming update changes" in problem.message


@pytest.mark.parametrize(
    ("options", "at", "reason"),
    [
        ("'connector' = 'datagen', 'rows-per-second' = 'many'", "'rows-per-second'", "rows-per-second"),
        ("'connector' = 'filesystem', 'format' = 'csv'", "CREATE", "Missing required options are: path"),
        ("'conector' = 'datagen'", "CREATE", "connector"),
    ],
)
def test_options(planner: Planner, options: str, at: str, reason: str) -> None:
    """What is wrong with a table's options is told at the option, or at the statement that makes the table."""
    script = f"-- a comment\n  CREATE TABLE t (id INT) WITH ({options});\n{TABLES}INSERT INTO sink SELECT id FROM t;"
    [problem] = check(planner, script)
    assert (problem.line, problem.column) == (2, script.splitlines()[1].index(at) + 1)
    assert reason in problem.message


def test_hint(planner: Planner) -> None:
    """A hint's option is told at the hint, a Flink option at its SET."""
    [problem] = check(planner, TABLES + "INSERT INTO sink SELECT id FROM source\n /*+ OPTIONS('colour' = 'red') */;")
    assert (problem.line, problem.column, problem.message) == (4, 14, "'datagen' has no option 'colour'")
    [problem] = check(planner, TABLES + "SET 'table.exec.mini-batch.enabled' = 'perhaps';\n" + WRITE)
    assert (problem.line, problem.column) == (3, 5)


def test_endless(settings: Settings, tmp_path: Path) -> None:
    """A script whose planning never ends is a problem of its own, at its statement; the next one is answered."""
    endless = f"INSERT INTO sink SELECT CHAR_LENGTH(REGEXP_EXTRACT('{'x' * 40}', '^(?:(x+)\\1?)+y', 1)) FROM source;"
    with Planner(replace(settings, home=tmp_path, call_timeout=8)) as planner:
        [problem] = check(planner, TABLES + endless)
        assert planner.pid
    assert place(problem) == (3, 1, 3, 1)
    assert problem.message.startswith("Flink's planner was not done within 8 s")
    assert problem.passing


def test_foreign_catalog(planner: Planner) -> None:
    """Nothing in a catalog that outlives the job is changed."""
    script = "CREATE CATALOG c WITH ('type' = 'nothing');\n" + TABLES + WRITE
    [problem] = check(planner, script)
    assert problem.line == 1
    assert "nothing" in problem.message


@pytest.mark.parametrize("script", ["", "-- nothing", TABLES])
def test_writes_nothing(planner: Planner, script: str) -> None:
    """A script that writes nothing is no job."""
    [problem] = check(planner, script)
    assert place(problem) == (1, 1, 1, 1)
    assert "expected an INSERT INTO" in problem.message


def test_many_threads(planner: Planner) -> None:
    """Scripts are validated side by side without seeing each other's tables."""
    scripts = [TABLES.replace("id", f"id{n}") + WRITE.replace("id", f"id{n}") for n in range(24)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda script: check(planner, script), scripts)) == [[]] * 24


def test_apart(flink: Embedded) -> None:
    """A script that takes its planner down with it takes no job along: the JVM that runs them never saw it."""
    greedy = "INSERT INTO sink SELECT CHAR_LENGTH(REPEAT('xxxxxxxx', 260000000)) FROM source;"
    before = flink.pid
    [problem] = flink.validate(TABLES + greedy, batch=False, options={})
    assert (problem.line, problem.column) == (3, 1)
    assert problem.message.startswith("Flink's planner did not survive it")
    assert flink.validate(TABLES + WRITE, batch=False, options={}) == []
    assert flink.alive
    assert flink.pid == before


def test_tables(planner: Planner) -> None:
    """Beside what is wrong a look tells each table's place, and whether an INSERT reads or writes it."""
    script = """-- one that nobody reads, one behind a view
CREATE TABLE unused (id INT) WITH ('connector' = 'filesystem', 'path' = '/data/unused', 'format' = 'json');
CREATE TABLE source (id INT) WITH ('connector' = 'filesystem', 'path' = '/data/source/', 'format' = 'json');
CREATE TABLE `a sink` WITH ('path' = '/data/sink') LIKE source;
CREATE TEMPORARY VIEW v AS SELECT id FROM source;
INSERT INTO `a sink` SELECT id FROM v;
"""
    seen = planner.look(script, batch=False, options={})
    assert seen.problems == ()
    told = {one.name.rpartition(".")[2]: one for one in seen.tables}
    assert {name: (one.reads, one.writes) for name, one in told.items()} == {
        "unused": (False, False),
        "source": (True, False),
        "a sink": (False, True),
    }
    assert list(places(told["source"])) == [("filesystem", "/data/source")]
    assert list(places(told["a sink"])) == [("filesystem", "/data/sink")]
    assert (told["a sink"].line, told["a sink"].column) == (4, 1)
    assert set(mentioned(script)) == {"/data/unused", "/data/source", "/data/sink"}
