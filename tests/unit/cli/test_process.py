"""A process is told by its id, with /proc and without."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flinkform.cli.process import command

PLACES = [
    pytest.param(Path("/proc"), marks=pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")),
    pytest.param(Path("/nowhere"), marks=pytest.mark.skipif(not shutil.which("ps"), reason="no ps here")),
]


@pytest.mark.parametrize("proc", PLACES)
def test_a_process(proc: Path) -> None:
    """A living process is told by its command; a zombie, and one that is gone, are none."""
    words = [sys.executable, "-c", "print(flush=True); input()", "a-mark"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()  # it runs
        found = command(process.pid, proc=proc)
        assert found is not None
        assert found.endswith("input() a-mark")
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert command(process.pid, proc=proc) is None
    assert command(process.pid, proc=proc) is None
