"""Which failures are worth another try, and when."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flinkform.client.retry import PATIENCE, Failure, Retry
from flinkform.errors import Unavailable

ERROR = Unavailable("x")


@given(st.integers(1, 4), st.floats(0, 1, exclude_max=True))
def test_full_jitter(tried: int, draw: float) -> None:
    """A pause is anywhere between nothing and a doubling limit."""
    pause = Retry(draw=lambda: draw).pause(Failure(error=ERROR, again=True), tried=tried, idempotent=True)
    assert pause is not None
    assert 0 <= pause <= min(20.0, 0.25 * 2**tried)


@pytest.mark.parametrize(
    ("failure", "tried", "idempotent", "again"),
    [
        (Failure(error=ERROR), 1, True, False),
        (Failure(error=ERROR, again=True), 1, True, True),
        (Failure(error=ERROR, again=True), 1, False, False),
        (Failure(error=ERROR, again=True, executed=False), 1, False, True),
        (Failure(error=ERROR, again=True), 5, True, False),
        (Failure(error=ERROR, again=True, executed=False, throttled=True), 5, False, True),
        (Failure(error=ERROR, again=True, executed=False, throttled=True), 10, True, False),
        (Failure(error=ERROR, again=True, after=PATIENCE), 1, True, True),
        (Failure(error=ERROR, again=True, after=PATIENCE + 1), 1, True, False),
    ],
)
def test_who_is_tried_again(failure: Failure, tried: int, idempotent: bool, again: bool) -> None:
    """Only what may help, never what may be done twice, and not for ever."""
    assert (Retry().pause(failure, tried=tried, idempotent=idempotent) is not None) is again
