"""Golden files, as a user's own pytest run sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

TEST = """
def test_it(flinkform_golden):
    flinkform_golden.check("plan.json", {{"b": {value}, "a": "ü"}})
    flinkform_golden.check("text.txt", "one\\r\\ntwo")
"""


@pytest.fixture
def run(pytester: Any) -> Any:
    """Run a test that compares *value* with its golden file."""

    def run(value: int, *words: str) -> Any:
        pytester.makepyfile(test_it=TEST.format(value=value))
        return pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:cacheprovider", *words)

    return run


def test_written_compared_and_told(run: Any, pytester: Any) -> None:
    """A missing file says how to write it; written it passes, to the byte; another value shows what differs."""
    run(1).stdout.fnmatch_lines(["*there is no *golden/plan.json; write it with pytest --update-golden*"])
    run(1, "--update-golden").assert_outcomes(passed=1)
    assert Path(pytester.path, "golden/plan.json").read_text() == '{\n  "a": "ü",\n  "b": 1\n}\n'
    assert Path(pytester.path, "golden/text.txt").read_bytes() == b"one\r\ntwo"
    run(1).assert_outcomes(passed=1)
    run(2).stdout.fnmatch_lines(['*-  "b": 1*', '*+  "b": 2*', "*if that is right: pytest --update-golden*"])
