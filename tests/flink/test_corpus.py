"""A few of the corpus's real scripts reach what they are meant to; `make corpus` runs all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flink import corpus
from tests.flink.plane import plane


@pytest.mark.skipif(not corpus.FOLDER.is_dir(), reason=f"there is no {corpus.FOLDER}; FLINKFORM_CORPUS names another")
def test_sample(java: Path, tmp_path: Path) -> None:
    """Scripts drawn by a seed are accepted, submitted through the whole road, and run or finish."""
    assert java
    with plane(tmp_path / "home") as served:
        outcomes = corpus.run(served, corpus.sample(8, seed=13), lambda _: None)
    assert [outcome for outcome in outcomes if not outcome.well] == []
