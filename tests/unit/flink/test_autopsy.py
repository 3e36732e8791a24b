"""What a dead JVM's report says, and which job's thread it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from flinkform.flink.autopsy import examine
from flinkform.flink.values import Death

REPORT = """#
# A fatal error has been detected by the Java Runtime Environment:
#
#  Internal Error (debug.cpp:362), pid=1, tid=2
#  fatal error: OutOfMemory encountered: Java heap space
#
---------------  T H R E A D  ---------------

Current thread (0x00007f2e14b8f800):  JavaThread "{thread}" [_thread_in_vm, id=2, stack(0x1,0x2)]
"""
TASK = "GroupAggregate[3] -> Sink: o[4] (1/1)"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    for job, task in (("a", "Source: g[1] (1/1)"), ("b", TASK), ("c", "Source: h[1] (1/1)")):
        (tmp_path / f"{job}.log").write_text(f"INFO {task} (id_0_0) switched from DEPLOYING to RUNNING.\n")
    return tmp_path


@pytest.mark.parametrize(
    ("thread", "suspects"),
    [
        (f"{TASK}#0", ("b", "c")),
        ("Legacy Source Thread - Source: g[1] (1/1)#12", ("a", "c")),
        ('Sink: "x" (1/1)#0', ("c",)),
        ("flink-pekko.actor.default-dispatcher-5", ("c",)),
    ],
)
def test_out_of_memory(logs: Path, thread: str, suspects: tuple[str, ...]) -> None:
    """The job whose task's thread failed comes first, then the newest, which is all there is where no task failed."""
    report = logs / "hs_err.log"
    report.write_text(REPORT.format(thread=thread))
    assert examine(report, ["a", "b", "c"], logs) == Death("Flink ran out of memory (Java heap space)", suspects)


def test_crash(logs: Path) -> None:
    """A crash of Java is told by its signal; a report that was cut off is still one."""
    report = logs / "hs_err.log"
    report.write_text("#\n#  SIGSEGV (0xb) at pc=0x1, pid=1, tid=2\n")
    assert examine(report, ["a"], logs) == Death("Java crashed (SIGSEGV)", ("a",))
    report.write_text("#\n# A fatal")
    assert examine(report, [], logs) == Death("Java crashed")


def test_no_report(tmp_path: Path) -> None:
    """A JVM that was killed left no report, and nobody is suspected."""
    assert examine(tmp_path / "hs_err.log", ["a"], tmp_path) == Death("")
