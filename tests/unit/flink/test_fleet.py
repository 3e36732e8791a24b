"""Seats: what a job's options ask for, and one runtime for each."""

from __future__ import annotations

import pytest

from flinkform.errors import Invalid
from flinkform.flink.fleet import SHARED, Fleet, Seat, seat
from tests.unit.controlplane.reconcile.fake import FakeRuntime


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, SHARED),
        ({"flinkform.isolation": "shared"}, SHARED),
        ({"flinkform.isolation": "own"}, Seat(group="d-1")),
        ({"flinkform.isolation": "own", "flinkform.heap": "2g"}, Seat(group="d-1", heap="2g")),
    ],
)
def test_seat(options: dict[str, str], expected: Seat) -> None:
    """Jobs share a JVM unless they ask for their own, whose heap is theirs to choose."""
    assert seat(options, alone="d-1") == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flinkform.isolation": "alone"}, "expected flinkform.isolation to be shared or own, got 'alone'"),
        ({"flinkform.isolation": "own", "flinkform.heap": "2 GB"}, "a size such as 512m or 2g, got '2 GB'"),
        ({"flinkform.heap": "2g"}, "is for a job with a JVM of its own; set flinkform.isolation to own as well"),
    ],
)
def test_no_seat(options: dict[str, str], message: str) -> None:
    """What makes no sense is refused, saying what would."""
    with pytest.raises(Invalid) as caught:
        seat(options, alone="d-1")
    assert message in str(caught.value)


def test_folders_differ() -> None:
    """No two seats share a folder: a JVM wipes its own when it starts."""
    seats = [SHARED, Seat("1.20"), Seat(group="a"), Seat(group="a", heap="1g"), Seat("1.20", "a"), Seat(heap="1g")]
    assert len({one.folder for one in seats}) == len(seats)


def test_fleet() -> None:
    """A seat's runtime is made once, and all of them end together."""
    made: list[Seat] = []

    def make(seat: Seat) -> FakeRuntime:
        made.append(seat)
        return FakeRuntime(alive=True)

    fleet = Fleet(make)
    runtimes = [fleet.at(), fleet.at(Seat(group="a")), fleet.at(SHARED)]
    assert made == [SHARED, Seat(group="a")]
    fleet.stop()
    assert [runtime.alive for runtime in runtimes] == [False, False, False]
