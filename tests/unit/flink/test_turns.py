"""Sharing a thing, and having it alone."""

from __future__ import annotations

import random
import threading

from flinkform.flink.turns import Turns


def test_alone() -> None:
    """Nobody shares it while one has it alone, and everybody gets their turn."""
    turns = Turns()
    inside: list[str] = []
    wrong: list[list[str]] = []

    def one(kind: str) -> None:
        with turns.alone() if kind == "alone" else turns.shared():
            inside.append(kind)
            if "alone" in inside and len(inside) > 1:
                wrong.append(list(inside))
            inside.remove(kind)

    kinds = ["alone"] * 20 + ["shared"] * 60
    random.shuffle(kinds)
    threads = [threading.Thread(target=one, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not wrong
    assert not any(thread.is_alive() for thread in threads)


def test_sharing() -> None:
    """Two may share it at once."""
    turns = Turns()
    meeting = threading.Barrier(2, timeout=20)

    def one() -> None:
        with turns.shared():
            meeting.wait()

    other = threading.Thread(target=one)
    other.start()
    one()
    other.join()
