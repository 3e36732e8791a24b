"""Many threads plan and submit through one JVM."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flinkform.flink.settings import Settings
from flinkform.flink.validate import Planner

SCRIPT = """
CREATE TABLE a (id BIGINT, v BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'datagen');
CREATE TABLE b (id BIGINT, total BIGINT, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector' = 'print');
INSERT INTO b SELECT x.id, SUM(y.v) FROM a AS x JOIN a AS y ON x.id = y.id GROUP BY x.id;
"""


@pytest.mark.skipif(not shutil.which("java"), reason="needs java on PATH")
def test_threads_do_not_share_a_planner(tmp_path: Path) -> None:
    """The planner keeps its thread's own things: no call of one thread may land in another's."""
    settings = Settings(home=tmp_path, java=Path(str(shutil.which("java"))))
    with Planner(settings) as planner, ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: planner.validate(SCRIPT, batch=False, options={}), range(64)))
    assert found == [[]] * 64
