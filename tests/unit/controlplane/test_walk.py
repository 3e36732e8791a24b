"""Two hundred steps over the operations, in any order, with restarts: what is answered is what a model says."""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.unit.controlplane.tables import Kind
from tests.unit.controlplane.walk import Walk

WHOLE = bool(os.environ.get("FLINKFORM_WALK"))
WALKS = 25 if WHOLE else 3
"""The first two that Hypothesis makes are no walks: one repeats the same step, one ends at once."""


@pytest.mark.both
def test_walk(kind: Kind, tmp_path: Path) -> None:
    """Nobody can tell the control plane from the model, be it killed as often as it may."""
    numbers = itertools.count()
    steps = 200 if WHOLE or kind.name == "sqlite" else 60

    class Here(Walk):
        steps: ClassVar[list[int]] = []

    Here.kind = kind
    Here.folders = staticmethod(lambda: tmp_path / f"walk-{next(numbers)}")
    asked = settings(
        max_examples=WALKS,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        suppress_health_check=[*HealthCheck],
    )
    run_state_machine_as_test(Here, settings=asked)
    assert max(Here.steps) == steps
