"""Requests go freely until the API complains, then as far apart as it takes."""

from __future__ import annotations

import pytest

from flinkform.client.rate import FIRST, LONGEST, Rate

from .conftest import Clock


@pytest.fixture
def rate(clock: Clock) -> Rate:
    return Rate(clock=clock, sleep=clock.sleep)


def test_free(rate: Rate, clock: Clock) -> None:
    """Nobody waits while nobody complained."""
    for _ in range(100):
        rate.wait()
        rate.faster()
    assert not clock.naps


def test_complaints_of_a_moment_count_once(rate: Rate, clock: Clock) -> None:
    """Ten parallel requests that meet one limit slow us down once; later ones again, up to a limit."""
    for _ in range(10):
        rate.slower()
    assert rate.gap == FIRST
    clock.now += 2
    rate.slower()
    assert rate.gap == 2 * FIRST
    for _ in range(20):
        clock.now += 2
        rate.slower()
    assert rate.gap == LONGEST


def test_requests_keep_their_distance(rate: Rate, clock: Clock) -> None:
    """After a complaint each request waits for its turn."""
    rate.slower()
    for _ in range(5):
        rate.wait()
    assert clock.naps == pytest.approx([FIRST] * 4)


def test_success_eases(rate: Rate) -> None:
    """Success after success brings the old speed back."""
    rate.slower()
    count = 0
    while rate.gap:
        rate.faster()
        count += 1
    assert 50 < count < 200


def test_a_clock_set_back(rate: Rate, clock: Clock) -> None:
    """A clock that jumps back does not stop us."""
    rate.slower()
    rate.wait()
    clock.now -= 86400
    rate.wait()
    assert clock.naps == [60.0]
