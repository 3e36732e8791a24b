"""Many threads speak to one JVM."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from flinkform.flink.jvm import Jvm
from flinkform.flink.settings import Settings


@pytest.mark.skipif(not shutil.which("java"), reason="needs java on PATH")
def test_the_calls_of_a_thread_are_calls_of_one_thread_in_the_jvm(tmp_path: Path) -> None:
    """The planner keeps its thread's own things, so no call of one thread may land in another's."""
    jvm = Jvm(Settings(home=tmp_path, java=Path(str(shutil.which("java")))))
    jvm.start()
    together = Barrier(4)

    def threads(_: int) -> set[int]:
        together.wait(30)
        java = jvm.gateway.jvm.java.lang
        return {int(java.Thread.currentThread().getId()) for _ in range(100)}

    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(threads, range(4)))
    finally:
        jvm.stop()
    assert [len(ids) for ids in found] == [1, 1, 1, 1]
    assert len(set.union(*found)) == 4
