"""Programs in jars on real Flink: in batch, with a uid that is gone, and those that misbehave."""

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
from tests.flink.programs import Jars
from tests.flink.waiting import until

Run = Callable[[Submission], str]
Make = Callable[..., Submission]


def program(jars: Jars, *args: str) -> Program:
    return Program((jars.counting,), args=args)


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
