"""A runtime that is slow to answer holds up no other, and is not asked again meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from flinkform.controlplane.reconcile.eyes import Answer, Eyes
from flinkform.errors import Unavailable
from flinkform.flink.fleet import SHARED, Fleet, Seat
from flinkform.flink.values import Observed, Phase
from tests.unit.controlplane.reconcile.fake import FakeRuntime

SLOW = Seat(group="slow")
JOBS = {"a": Observed(Phase.RUNNING, 1, None, 1, 1)}


class Slow(FakeRuntime):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__(alive=True)
        self.let, self.asked_times = threading.Event(), 0

    def observe(self) -> dict[str, Observed]:
        self.asked_times += 1
        assert self.let.wait(30)
        return JOBS


@pytest.fixture
def slow() -> Iterator[Slow]:
    one = Slow()
    yield one
    one.let.set()


@pytest.fixture
def eyes(slow: Slow) -> Iterator[Eyes]:
    fast, times = FakeRuntime(alive=True), iter(range(100))
    fleet = Fleet(lambda seat: slow if seat == SLOW else fast)
    with ThreadPoolExecutor(4) as executor:
        yield Eyes(fleet, executor, lambda: next(times), patience=0.2)
        slow.let.set()


def test_others_are_seen(eyes: Eyes, slow: Slow) -> None:
    """The others' answers come at once; the late one comes with the time it was asked for."""
    lives = {SLOW: "s", SHARED: "f"}
    assert eyes.look(lives) == {SLOW: Answer(0, None), SHARED: Answer(1, {})}
    assert eyes.look(lives) == {SLOW: Answer(0, None), SHARED: Answer(2, {})}
    slow.let.set()
    while (late := eyes.look(lives)[SLOW]).jobs is None:
        pass
    assert (late, slow.asked_times) == (Answer(0, JOBS), 1)
    assert eyes.look(lives)[SLOW].at > 2


def test_an_answer_of_a_former_life(eyes: Eyes, slow: Slow) -> None:
    """What a runtime says of the life before says nothing of this one."""
    assert eyes.look({SLOW: "before"})[SLOW].jobs is None
    slow.let.set()
    found = [eyes.look({SLOW: "now"})[SLOW] for _ in range(2)]
    assert [answer.jobs for answer in found] == [None, JOBS]


def test_another_life_meanwhile(eyes: Eyes, slow: Slow) -> None:
    """A cluster that comes back while it is asked says nothing of the life it was asked in."""
    slow.life = "now"
    slow.let.set()
    assert eyes.look({SLOW: "before"})[SLOW].jobs is None
    assert eyes.look({SLOW: "now"})[SLOW].jobs == JOBS


def test_silence(eyes: Eyes, slow: Slow) -> None:
    """A runtime that refuses to answer is not known."""
    slow.observe = lambda: (_ for _ in ()).throw(Unavailable("no"))  # type: ignore[method-assign]
    assert eyes.look({SLOW: "s"})[SLOW].jobs is None
