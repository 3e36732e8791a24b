"""What waiting promises: longer and longer pauses, an end in time, and an end at once when told."""

from __future__ import annotations

from itertools import pairwise

import pytest

from flinkform.errors import Interrupted, TimedOut, Unavailable
from flinkform.provider.waiting import ABSENCES, LONGEST, Patience, seconds
from tests.unit.provider.clock import Time


def test_pauses() -> None:
    """The first look is at once, pauses grow, and none is longer than the longest."""
    time, looks = Time(), []

    def look() -> bool | None:
        looks.append(time.now)
        return True if len(looks) == 20 else None

    assert Patience(1000, clock=time, stop=time).until("it", look) is True
    pauses = [after - before for before, after in pairwise(looks)]
    assert looks[0] == 0
    assert pauses == sorted(pauses)
    assert pauses[0] < 0.5
    assert pauses[-1] == pytest.approx(LONGEST)


def test_deadline() -> None:
    """There is a last look at the deadline, and the error says what was waited for and how long."""
    time = Time()
    with pytest.raises(TimedOut, match="gave up waiting for it after 7 s"):
        Patience(7, clock=time, stop=time).until("it", lambda: None)
    assert time.now == pytest.approx(7)


def test_stop() -> None:
    """Told to stop, it ends within a pause and does not look again."""
    time = Time()
    time.limit = 2
    with pytest.raises(Interrupted, match="stopped waiting for it"):
        Patience(100, clock=time, stop=time).until("it", lambda: None)
    assert time.now < 3


@pytest.mark.parametrize(("text", "expected"), [("90s", 90), ("1h30m", 5400), ("250ms", 0.25), ("10m", 600)])
def test_seconds(text: str, expected: float) -> None:
    """Durations are read as Go and Terraform write them."""
    assert seconds(text) == expected


@pytest.mark.parametrize(("absences", "found"), [(ABSENCES, True), (ABSENCES + 1, False)])
def test_absence(absences: int, *, found: bool) -> None:
    """A control plane that does not answer for a while is waited for; one that is gone is not."""
    time, left = Time(), iter(range(absences))

    def look() -> bool:
        if next(left, None) is not None:
            raise Unavailable("down")
        return True

    patience = Patience(1000, clock=time, stop=time)
    if found:
        assert patience.until("it", look)
    else:
        with pytest.raises(Unavailable):
            patience.until("it", look)
