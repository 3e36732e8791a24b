"""Waiting for a real process, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(check: Callable[[], object], *, seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
