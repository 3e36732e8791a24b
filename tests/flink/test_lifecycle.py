"""Jobs on real Flink: started, stopped, restored and seen as they are."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.errors import Conflict, Invalid, NotFound
from flinkform.flink import checkpoints
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings
from flinkform.flink.values import Phase, Slots, Submission
from tests.flink.conftest import Job, ended, printed, settled, stopped, until

Run = Callable[[Submission], str]

IDLE = """
CREATE TABLE source (id INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1');
CREATE TABLE sink (id INT) WITH ('connector' = 'blackhole');
INSERT INTO sink SELECT id FROM source;
"""


def counting(identifier: str) -> str:
    """Counts a sequence and keeps its greatest number: as long as state is exact, both are the same."""
    return f"""
    CREATE TABLE numbers (n BIGINT, k AS n - n) WITH ('connector' = 'datagen', 'rows-per-second' = '50',
        'fields.n.kind' = 'sequence', 'fields.n.start' = '1', 'fields.n.end' = '100000');
    CREATE TABLE counted (c BIGINT, m BIGINT) WITH ('connector' = 'print', 'print-identifier' = '{identifier}');
    CREATE VIEW by_key AS SELECT k, COUNT(*) AS c, MAX(n) AS m FROM numbers GROUP BY k;
    INSERT INTO counted SELECT c, m FROM by_key;
    """  # noqa: S608  a script


def test_running(flink: Embedded, run: Run, job: Job) -> None:
    """A job runs under the id and the name it was given, and the same submission again changes nothing."""
    made = job(IDLE)
    run(made)
    flink.submit(made)
    seen = flink.observe()[made.id]
    assert (seen.state, seen.end, seen.tasks_total) == (Phase.RUNNING, None, seen.tasks_running)
    assert seen.start > 0


def test_restore(flink: Embedded, run: Run, job: Job, tmp_path: Path) -> None:
    """Stopped with a savepoint, ended as FINISHED, restored: the count goes on from where it was."""
    first = run(job(counting("before")))
    home = flink.home
    until(lambda: len(printed(home, "before")) > 20)
    location = stopped(flink, first, tmp_path / "kept")
    assert checkpoints.exists(location)
    last = printed(home, "before")[-1]

    run(job(counting("after"), restore=location))
    until(lambda: len(printed(home, "after")) > 20)
    rows = printed(home, "after")
    assert rows[0] == (last[0] + 1, last[1] + 1)
    assert all(count == greatest for count, greatest in rows)


def test_savepoint_keeps_running(flink: Embedded, run: Run, job: Job, tmp_path: Path) -> None:
    """A savepoint without stop leaves the job RUNNING; deleting it removes its files."""
    running = run(job(IDLE))
    trigger = flink.savepoint(running, str(tmp_path / "kept"), stop=False)
    assert flink.savepoint(running, str(tmp_path / "kept"), stop=False) == trigger  # as if the answer had been lost
    until(lambda: flink.savepoint_status(running, trigger).done)
    location = flink.savepoint_status(running, trigger).location
    assert location
    assert checkpoints.exists(location)
    assert flink.observe()[running].state is Phase.RUNNING
    checkpoints.delete(location)
    checkpoints.delete(location)
    assert not checkpoints.exists(location)


def test_cancel(flink: Embedded, run: Run, job: Job) -> None:
    """A cancelled job is CANCELED, keeps its newest checkpoint, and may be cancelled again."""
    made = job(counting("cancel"))
    run(made)
    until(lambda: checkpoints.newest(made.checkpoint_dir, made.id))
    flink.cancel(made.id)
    assert ended(flink, made.id) is Phase.CANCELED
    assert checkpoints.newest(made.checkpoint_dir, made.id)
    flink.cancel(made.id)
    flink.cancel("0" * 32)


def test_batch(flink: Embedded, run: Run, job: Job, tmp_path: Path) -> None:
    """A script whose leading SET says batch runs to FINISHED and writes what it should, sorted and joined."""
    out = tmp_path / "out"
    script = f"""
    SET 'execution.runtime-mode' = 'batch';
    CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '5',
        'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '5');
    CREATE TABLE o (id BIGINT, c BIGINT) WITH ('connector' = 'filesystem', 'path' = '{out.as_uri()}', 'format' = 'csv');
    INSERT INTO o SELECT a.id, COUNT(*) FROM n a JOIN n b ON a.id >= b.id AND a.id = b.id GROUP BY a.id ORDER BY a.id;
    """  # noqa: S608  a script, and the path is ours
    finished = run(job(script))
    assert ended(flink, finished) is Phase.FINISHED
    rows = sorted(line for file in out.iterdir() for line in file.read_text().split())
    assert rows == [f"{n},1" for n in range(1, 6)]


def test_one_job(flink: Embedded, run: Run, job: Job) -> None:
    """Several INSERTs are one job, with and without a statement set."""
    more = "CREATE TABLE other (id INT) WITH ('connector' = 'blackhole');"
    inserts = "INSERT INTO other SELECT id FROM source; INSERT INTO sink SELECT id FROM source;"
    tables = IDLE.partition("INSERT")[0] + more
    before = set(flink.observe())
    made = [
        run(job(tables + inserts)),
        run(job(f"{tables} EXECUTE STATEMENT SET BEGIN {inserts} END;")),
        run(job(f"{tables} BEGIN STATEMENT SET; {inserts} END;")),
    ]
    seen = flink.observe()
    assert set(seen) - before == set(made)
    assert all(seen[job_id].state is Phase.RUNNING for job_id in made)


def test_failure(flink: Embedded, run: Run, job: Job) -> None:
    """A job that fails is FAILED, with a reason, the place and what to do."""
    script = IDLE.replace("SELECT id", "SELECT 1 / (id - id)")
    failed = run(job(script))
    assert ended(flink, failed) is Phase.FAILED
    told = flink.failure(failed)
    assert told
    assert (told.reason, told.root) == ("arithmetic failed (/ by zero)", "/ by zero")
    assert told.vertex
    assert told.vertex.startswith("Source: source")
    assert "NULLIF" in told.advice


def test_restore_from_nothing(flink: Embedded, job: Job, tmp_path: Path) -> None:
    """A savepoint that does not exist is a failure that says so."""
    made = job(IDLE, restore=str(tmp_path / "gone"))
    flink.submit(made)
    assert ended(flink, made.id) is Phase.FAILED
    told = flink.failure(made.id)
    assert told
    assert "gone" in told.reason
    assert "does not exist" in told.reason


def test_restore_of_other_sql(flink: Embedded, run: Run, job: Job, tmp_path: Path) -> None:
    """State that no longer fits fails with that reason; with allow_non_restored the job starts without it."""
    first = run(job(counting("unfit")))
    until(lambda: printed(flink.home, "unfit"))
    location = stopped(flink, first, tmp_path / "kept")
    other = job(IDLE, restore=location)
    flink.submit(other)
    assert ended(flink, other.id) is Phase.FAILED
    told = flink.failure(other.id)
    assert told
    assert told.reason.startswith("the saved state holds an operator")
    assert settled(flink, run(job(IDLE, restore=location, allow_non_restored=True))).state is Phase.RUNNING


def test_no_slots(flink: Embedded, job: Job) -> None:
    """A job that cannot fit is refused before it is submitted, saying what it needs and what is free."""
    made = job(IDLE, parallelism=99)
    with pytest.raises(Conflict, match=r"test needs 99 slots and \d+ of 12 are free; held by"):
        flink.submit(made)
    assert made.id not in flink.observe()


def test_slots(flink: Embedded, run: Run, job: Job) -> None:
    """A job takes as many slots as its parallelism, its own SET included, and gives them back."""
    until(lambda: flink.slots() == Slots(12, 12))
    run(job("SET 'parallelism.default' = '3';" + IDLE, parallelism=2))
    assert flink.slots() == Slots(12, 9)


def test_levels(flink: Embedded, run: Run, job: Job) -> None:
    """A logger says more while it is told to, in the log of a job that runs, and as much as ever afterwards."""
    made = run(job(counting("loud")))
    coordinator = "org.apache.flink.runtime.checkpoint"
    before = flink.log(made, tail=1 << 20)
    assert " DEBUG " not in before
    flink.levels({coordinator: "DEBUG", "": "ERROR"})
    until(lambda: " DEBUG " in flink.log(made))
    flink.levels({})
    quiet = len(flink.log(made, tail=1 << 24))
    until(lambda: "INFO" in flink.log(made, tail=1 << 24)[quiet:])
    said = flink.log(made, tail=1 << 24)[quiet:]
    assert said.count(" DEBUG ") <= said.partition(" INFO ")[0].count(" DEBUG ")


def test_log(flink: Embedded, run: Run, job: Job) -> None:
    """Each job logs to a file of its own, and its tail begins with a whole line."""
    made = run(job(IDLE))
    until(lambda: flink.log_path(made))
    until(lambda: "RUNNING" in flink.log(made))
    tail = flink.log(made, tail=500)
    assert 0 < len(tail) <= 500
    assert tail[:2] == "20"
    assert flink.log("../flink") == ""


def test_unknown(flink: Embedded, tmp_path: Path) -> None:
    """What Flink does not know is NotFound, or simply absent."""
    with pytest.raises(NotFound):
        flink.savepoint("0" * 32, str(tmp_path), stop=True)
    assert flink.failure("0" * 32) is None


def test_script_problem(flink: Embedded, job: Job) -> None:
    """A script that Flink refuses is Invalid with its place, and nothing was submitted."""
    before = set(flink.observe())
    with pytest.raises(Invalid, match="Column 'nope' not found in any table") as caught:
        flink.submit(job(IDLE.replace("SELECT id", "SELECT nope")))
    assert str(caught.value.position) == "test:4:25"
    assert set(flink.observe()) == before


def test_killed_jvm(settings: Settings, job: Job) -> None:
    """After kill -9 a new JVM goes on from the newest complete checkpoint, exactly, under a new id."""
    runtime = Embedded(replace(settings, home=settings.home / "killed", slots=2))
    runtime.start()
    try:
        made = job(counting("first"))
        runtime.submit(made)
        until(lambda: checkpoints.newest(made.checkpoint_dir, made.id))
        assert runtime.pid
        os.kill(runtime.pid, signal.SIGKILL)
        until(lambda: not runtime.alive)
        last = printed(runtime.home, "first")[-1]

        runtime.start()
        newest = checkpoints.newest(made.checkpoint_dir, made.id)
        again = job(counting("second"), restore=newest)
        runtime.submit(again)
        until(lambda: len(printed(runtime.home, "second")) > 5)
        rows = printed(runtime.home, "second")
        assert all(count == greatest for count, greatest in rows)
        assert 1 < rows[0][0] <= last[0] + 1
    finally:
        runtime.stop()
    assert not runtime.alive


LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


def listening(pid: int) -> list[str]:
    """Return where a process listens, as Linux writes it."""
    place, own = Path(f"/proc/{pid}"), set[str]()
    for link in (place / "fd").iterdir():
        with suppress(FileNotFoundError):
            own.add(str(link.readlink()))
    tables = ((place / "net" / name).read_text().splitlines()[1:] for name in ("tcp", "tcp6"))
    rows = [line.split() for table in tables for line in table]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own]


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="sockets are looked up as Linux lists them")
def test_on_this_machine_only(flink: Embedded) -> None:
    """Nothing that the JVM listens on can be reached from another machine."""
    assert flink.pid
    found = listening(flink.pid)
    assert len(found) > 2
    assert {address.partition(":")[0] for address in found} <= LOOPBACK
