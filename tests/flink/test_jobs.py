"""The example jobs on real Flink: each runs, and what they write is right."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from flinkform import jobfile
from flinkform.flink.runtime import Embedded
from flinkform.flink.settings import Settings
from flinkform.flink.validate import Planner
from flinkform.flink.values import Phase, Submission
from tests.flink.conftest import ended, settled, stopped, until

ROOT = Path(__file__).parents[2]
JOBS = {job.path: job for job in jobfile.load(ROOT / "jobs", environment=ROOT / "environments" / "dev.yaml")}

Run = Callable[[Submission], str]
Make = Callable[..., Submission]


def batch(job: jobfile.Job) -> bool:
    return bool(job.values.get("execution_mode") == "BATCH")


def options(job: jobfile.Job) -> dict[str, str]:
    """The job's options, but a failure is final and files are complete soon."""
    quick = {"restart-strategy.type": "none", "execution.checkpointing.interval": "500 ms"}
    return {**job.values.get("flink_options", {}), **quick}


def submission(make: Make, path: str, **changes: str) -> Submission:
    """The job at *path* as the control plane would submit it, with some text of its script exchanged."""
    job = JOBS[path]
    script = job.values["sql"]
    for old, new in changes.items():
        assert old in script
        script = script.replace(old, new)
    return make(script, name=job.name, batch=batch(job), parallelism=1, options=options(job))


@pytest.mark.parametrize("path", JOBS)
def test_the_planner_accepts_every_job(planner: Planner, path: str) -> None:
    """No example has an error that Flink's planner sees."""
    job = JOBS[path]
    assert planner.validate(job.values["sql"], batch=batch(job), options=options(job)) == []


@pytest.mark.parametrize("path", JOBS)
def test_every_job_runs(flink: Embedded, job: Make, run: Run, path: str) -> None:
    """Every example reaches RUNNING on real Flink, and the batch job FINISHED."""
    submitted = run(submission(job, path))
    if batch(JOBS[path]):
        assert ended(flink, submitted) is Phase.FINISHED
    else:
        assert settled(flink, submitted).state is Phase.RUNNING


def test_the_batch_job_writes_the_right_file(flink: Embedded, settings: Settings, job: Make, run: Run) -> None:
    """The daily report is the ten best sellers, to the cent, however often it runs."""
    for _ in range(2):
        assert ended(flink, run(submission(job, "reporting/daily/top_sellers.sql"))) is Phase.FINISHED
    turnover: Counter[int] = Counter()
    sales: Counter[int] = Counter()
    for number in range(1, 2001):
        seller = number * number % 37 + 1
        sales[seller] += 1
        turnover[seller] += number * 104729 % 50000
    best = sorted(turnover, key=lambda seller: (-turnover[seller], seller))[:10]
    wanted = [(place, s, sales[s], Decimal(turnover[s]) / 100) for place, s in enumerate(best, 1)]
    rows = csv.reader(lines(settings.home / "cluster" / "results" / "top_sellers"))
    assert sorted((int(p), int(s), int(n), Decimal(t)) for p, s, n, t in rows) == wanted


def test_a_windowed_count_goes_on_from_the_savepoint(flink: Embedded, job: Make, run: Run, tmp_path: Path) -> None:
    """Stopped with a savepoint and started from it, the count in the job's own output has no gap and no double."""
    quick = {"'20 s'": "'1 s'", "'5 s'": "'1 s'", "INTERVAL '10' SECOND": "INTERVAL '1' SECOND"}
    made = submission(job, "bids/bids_per_window.sql", **{"results/bids_per_window": str(tmp_path / "out"), **quick})
    first = run(made)
    until(lambda: len(windows(tmp_path / "out")) > 2)
    savepoint = stopped(flink, first, tmp_path / "savepoints")
    before = len(windows(tmp_path / "out"))
    run(replace(made, id=f"{int(made.id, 16) ^ 1:032x}", restore=savepoint))
    until(lambda: len(windows(tmp_path / "out")) > before + 2)
    found = windows(tmp_path / "out")
    assert found[0]["total"] == found[0]["bids"]
    for earlier, later in pairwise(found):
        assert later["total"] == earlier["total"] + later["bids"]
        assert start(later) >= start(earlier) + timedelta(seconds=1)


def windows(folder: Path) -> list[dict[str, Any]]:
    return sorted((json.loads(line) for line in lines(folder)), key=lambda row: str(row["window_start"]))


def lines(folder: Path) -> Iterator[str]:
    """The lines of every finished file of a filesystem table."""
    for path in sorted(folder.glob("[!._]*")):
        yield from path.read_text().splitlines()


def start(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["window_start"])
