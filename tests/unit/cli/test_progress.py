"""What a person sees while a step takes its time."""

from __future__ import annotations

from io import StringIO
from threading import Event

import pytest

from flinkform.cli.progress import Pace, Progress


class Screen(StringIO):
    """Remembers what was written, and says when a text was."""

    def __init__(self, awaited: str) -> None:
        super().__init__()
        self.awaited, self.seen = awaited, Event()

    def write(self, text: str) -> int:
        """Write *text*."""
        if self.awaited in text:
            self.seen.set()
        return super().write(text)


def test_a_step_says_how_it_began_and_ended() -> None:
    """With its result and its time."""
    times = iter((1.0, 3.5))
    out = StringIO()
    with Progress(out=out, clock=lambda: next(times)).step("planning") as step:
        step.say("2 of 3")
        step.result = "no changes"
    assert out.getvalue() == "> planning ...\n  planning: 2 of 3\n+ planning: no changes (2.5 s)\n"


def test_a_silent_step_shows_that_it_goes_on() -> None:
    """Whatever it does, nobody wonders whether it hangs."""
    out = Screen("  planning: 7 s")
    times = iter((0.0,))
    with Progress(out=out, clock=lambda: next(times, 7.0), patience=0.001).step("planning"):
        assert out.seen.wait(10)


def test_a_failed_step_is_crossed_out() -> None:
    """And the error goes on its way."""
    out = StringIO()
    with pytest.raises(ValueError, match="odd"), Progress(out=out, clock=lambda: 0.0).step("planning"):
        raise ValueError("odd")
    assert out.getvalue().endswith("x planning (0.0 s)\n")


def test_a_pace_says_how_far_how_fast_and_how_long() -> None:
    """Of what there is, since it began."""
    times = iter((0.0, 2.0, 4.0))
    pace = Pace(4, clock=lambda: next(times))
    assert [pace.more(), pace.more()] == ["1 of 4, 0.5/s, 6 s left", "2 of 4, 0.5/s, 4 s left"]
