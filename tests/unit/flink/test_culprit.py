"""Which line of a script a failure is about, and which tables its task reads and writes."""

from __future__ import annotations

import pytest

from flinkform.flink.culprit import traced
from flinkform.flink.diagnosis import Failure, diagnose
from flinkform.flink.graph import Graph
from flinkform.flink.values import Diagnosis

SCRIPT = """CREATE TABLE `in` (id INT) WITH ('connector' = 'filesystem', 'format' = 'json',
  'path' = 'file:///data/in');
CREATE TEMPORARY TABLE IF NOT EXISTS cat.db.out1 (a INT) WITH ('connector' = 'jdbc', 'table-name' = 'out');
CREATE TABLE out2 (a INT) WITH ('connector' = 'jdbc',
  'url' = 'jdbc:postgresql://db.example.com/x');
-- a / b
CREATE VIEW half AS SELECT id / 2 AS h, '/' AS s FROM `in`;
INSERT INTO cat.db.out1 SELECT h FROM half;
INSERT INTO out2
SELECT CAST(id AS INT)
FROM `in`;
"""


def blame(trace: str, *, reads: tuple[str, ...] = (), writes: tuple[str, ...] = (), script: str = SCRIPT) -> Diagnosis:
    return traced(diagnose(Failure(trace, "task", reads=reads, writes=writes)), script)


@pytest.mark.parametrize(
    ("trace", "reads", "writes", "line"),
    [
        ("java.lang.ArithmeticException: / by zero", ("in",), ("out1",), 7),
        ("java.lang.ArithmeticException: / by zero", ("in",), ("out2",), 9),
        ("java.lang.ArithmeticException: / by zero", ("in",), ("out1", "out2"), 7),
        ("java.lang.ArithmeticException: / by zero", (), (), 7),
        ("java.lang.NumberFormatException: x", ("in",), ("out1", "out2"), 10),
        ("o.E: Column 'a' is NOT NULL, however, a null value is being written", ("in",), ("out2",), 9),
        ("o.E: Column 'a' is NOT NULL, however, a null value is being written", ("in",), (), 0),
        ("a.X: SplitFetcher\nCaused by: a.JsonParseException: Unrecognized token", ("in",), ("out1",), 1),
        ("java.net.ConnectException: Connection to db.example.com refused", ("in",), ("out1", "out2"), 0),
        ("a.X: y\nCaused by: java.io.IOException: Failed to create the parent directory: /data/in", (), (), 2),
        ('a.PSQLException: ERROR: relation "out" does not exist', ("in",), ("out1",), 3),
        ("java.net.ConnectException: Connection refused", ("in",), ("out2",), 4),
        ("java.lang.OutOfMemoryError: Java heap space", ("in",), ("out2",), 0),
        ("java.lang.IllegalStateException: a riddle", ("in",), ("out2",), 0),
    ],
)
def test_line(trace: str, reads: tuple[str, ...], writes: tuple[str, ...], line: int) -> None:
    """The line with the words or the option in question, else the statement; 0 where several could be meant."""
    assert blame(trace, reads=reads, writes=writes).line == line


def test_shown() -> None:
    """The line is told with the reason, and what stands there."""
    told = blame("java.lang.ArithmeticException: / by zero", writes=("out1",))
    assert str(told) == (
        "arithmetic failed (/ by zero) at line 7, `CREATE VIEW half AS SELECT id / 2 AS h, '/' AS s FROM `in`;`, "
        "in task; guard the division, for instance with NULLIF"
    )


def test_long_lines_are_cut() -> None:
    """A script of one line is not repeated as a whole."""
    told = blame("java.lang.ArithmeticException: / by zero", script="INSERT INTO a SELECT 1 / b" + " + 1" * 1000)
    assert (told.line, len(told.excerpt)) == (1, 80)


@pytest.mark.parametrize("script", ["", "\ufeff", "no sql", "INSERT INTO", "CREATE TABLE"])
def test_no_script(script: str) -> None:
    """What cannot be read is not blamed."""
    assert blame("java.lang.ArithmeticException: / by zero", script=script).line == 0


JOB = {
    "vertices": [
        {"id": "v1", "name": "Source: in[4] -> (Calc[5], Calc[7])", "status": "FAILED"},
        {"id": "v2", "name": "out1[6]: Writer", "status": "CANCELED"},
        {"id": "v3", "name": "Calc[8] -> Sink: out2[9]", "status": "CANCELED"},
    ],
    "plan": {
        "nodes": [
            {
                "id": "v1",
                "description": "[4]:TableSourceScan(table=[[default_catalog, default_database, in, project=[id]]], "
                "fields=[id])<br/>:- [5]:Calc(select=[id])<br/>+- [7]:Calc(select=[(id &gt; 0) AS EXPR$0])<br/>",
            },
            {"id": "v2", "description": "out1[6]: Writer<br/>", "inputs": [{"id": "v1"}]},
            {"id": "v3", "description": "[8]:Calc(select=[a])<br/>+- Sink: out2[9]<br/>", "inputs": [{"id": "v1"}]},
        ]
    },
}


def test_tables() -> None:
    """A task reads what it scans, and writes all that its rows come to."""
    graph = Graph(JOB)
    reads, writes = graph.tables("Source: in[4] -> (Calc[5], Calc[7]) (1/1) - execution #0")
    assert (reads, sorted(writes)) == (("in",), ["out1", "out2"])
    assert graph.tables("out1[6]: Writer") == ((), ("out1",))
    assert graph.tables("another task") == ((), ())
    assert graph.tables(None) == ((), ())


def test_sinks_without_a_name() -> None:
    """Where one of the ends has no table's name, nothing is said of where rows go."""
    nameless = {**JOB, "plan": {"nodes": [*JOB["plan"]["nodes"][:2], {"id": "v3", "inputs": [{"id": "v1"}]}]}}  # type: ignore[index]
    assert Graph(nameless).tables("Source: in[4] -> (Calc[5], Calc[7])") == (("in",), ())


def test_culprit() -> None:
    """The task that Flink names in passing, else the only one that failed."""
    graph = Graph(JOB)
    named = "o.F: Global failure triggered by OperatorCoordinator for 'Source: f[2] -> out1[3]: Writer' (operator cbc)."
    assert graph.culprit(named) == "Source: f[2] -> out1[3]: Writer"
    assert graph.culprit("a.B: c") == "Source: in[4] -> (Calc[5], Calc[7])"
    assert Graph({}).culprit("a.B: c") is None
