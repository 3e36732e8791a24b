"""Programs in jars on real Flink: run, upgraded with their state, killed, brought back; and those that misbehave."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from flinkform.errors import Invalid
from flinkform.flink.program import packed
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings
from flinkform.flink.values import Phase, Program, Submission
from tests.flink.conftest import ended, printed, stopped
from tests.flink.programs import Jars, compiled
from tests.flink.waiting import until

Run = Callable[[Submission], str]
Make = Callable[..., Submission]


@pytest.fixture(scope="module")
def jars(tmp_path_factory: pytest.TempPathFactory) -> Jars:
    return compiled(tmp_path_factory.mktemp("jars"))


def program(jars: Jars, *args: str) -> Program:
    return Program((jars.counting,), args=args)


def test_upgrade(settings: Settings, flink: Embedded, job: Make, run: Run, jars: Jars, tmp_path: Path) -> None:
    """A count goes on, exactly, under another jar with another operator, which a second jar is needed for."""
    made = job("", program=program(jars, "upgraded"))
    first = run(made)
    home = settings.home / "cluster"
    until(lambda: len(printed(home, "upgraded")) > 20)
    savepoint = stopped(flink, first, tmp_path / "savepoints")
    before = printed(home, "upgraded")
    wider = Program((jars.counting, jars.extra), "org.example.Counting", ("upgraded", "wider"))
    run(replace(made, id=uuid.uuid4().hex, program=wider, restore=savepoint))
    until(lambda: len(printed(home, "upgraded")) > len(before) + 20)
    found = printed(home, "upgraded")
    assert found == [(n, n) for n in range(1, len(found) + 1)]
    assert f"upgraded> +I[{len(found)}, {len(found)}] more" in (home / "jvm.out").read_text()
    assert not (home / "programs").exists() or not list((home / "programs").iterdir())


def test_renamed(flink: Embedded, job: Make, run: Run, jars: Jars, tmp_path: Path) -> None:
    """State whose uid is gone is refused, with the reason, unless it may be left behind."""
    made = job("", program=program(jars, "renamed"))
    savepoint = stopped(flink, run(made), tmp_path / "savepoints")
    other = replace(made, id=uuid.uuid4().hex, program=program(jars, "other", "moved"), restore=savepoint)
    assert ended(flink, run(other)) is Phase.FAILED
    failure = flink.failure(other.id)
    assert failure is not None
    assert "state" in failure.reason
    allowed = replace(other, id=uuid.uuid4().hex, allow_non_restored=True)
    run(allowed)
    until(lambda: flink.observe()[allowed.id].state is Phase.RUNNING)


def test_batch(settings: Settings, flink: Embedded, job: Make, run: Run, jars: Jars) -> None:
    """A program that is run as batch ends by itself, with one row for its one key."""
    made = job("", batch=True, program=program(jars, "once", "few"))
    assert ended(flink, run(made)) is Phase.FINISHED
    assert printed(settings.home / "cluster", "once")[-1] == (10, 10)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("exit", r"main\(\) ended Java with System.exit\(3\).*it printed: usage: a name"),
        ("nothing", r"main\(\) ended and ran no job; call execute"),
        ("throw", r"main\(\) failed at Counting.java:\d+: no such topic: bids"),
        ("batch", "expected a STREAMING program, main.. makes it BATCH"),
    ],
)
def test_misbehaving(flink: Embedded, job: Make, jars: Jars, word: str, said: str) -> None:
    """What a main() does wrong is told, and no other job notices."""
    with pytest.raises(Invalid, match=said):
        flink.submit(job("", program=program(jars, "bad", word)))
    assert flink.alive


def test_endless(settings: Settings, flink: Embedded, job: Make, jars: Jars) -> None:
    """A main() without an end is ended."""
    endless = program(jars, "bad", "loop")
    told = r"main\(\) came to no execute\(\): Flink did not answer within 5 s"
    with (
        pytest.raises(Invalid, match=told),
        packed(replace(settings, call_timeout=5), job("", program=endless), endless, {}),
    ):
        pytest.fail("it came to an end")
    with pytest.raises(Invalid, match=r"org\.example\.Nobody; set the entry class"):
        flink.submit(job("", program=Program((jars.counting,), entry="org.example.Nobody")))
