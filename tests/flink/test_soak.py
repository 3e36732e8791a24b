"""A few of the kills that `make soak` makes hundreds of."""

from __future__ import annotations

from pathlib import Path

from tests.soak.soak import Plan, Soak


def test_six_kills(java: Path, tmp_path: Path) -> None:
    """Jobs reach what is asked for, once, with every row once, though all is killed and every tenth answer fails."""
    assert java
    plan = Plan(kills=6, seed=4, jobs=2, pace=0.4, failing=0.1, delayed=0.05)
    told: list[str] = []
    outcome = Soak(plan, tmp_path, told.append).run()
    assert outcome.wrongs == [], told
    assert outcome.rows > 0
    assert sum(outcome.kills.values()) == plan.kills
