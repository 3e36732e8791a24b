"""The benchmark runs and ends with one JSON line a figure."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_ends_with_its_figures() -> None:
    """Every figure says what was measured, how often, and the ratio; how large it is depends on the machine."""
    command = [sys.executable, "-m", "benchmarks.synth", "20", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    figures = [json.loads(line) for line in done.stdout.splitlines()[-4:]]
    assert [(f["benchmark"], f["n"], f["unit"]) for f in figures] == [
        ("synth from memory", 20, "CPU s"),
        ("synth from memory, bare floor", 20, "CPU s"),
        ("synth from files", 20, "CPU s"),
        ("synth from files, bare floor", 20, "CPU s"),
    ]
    assert all(f["candidate"] > 0 and f["floor"] > 0 and f["ratio"] > 0 for f in figures)
