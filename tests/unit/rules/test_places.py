"""What is said of a place that many jobs write to."""

from __future__ import annotations

from flinkform.flink.values import Table
from flinkform.jobfile import Job
from flinkform.rules.check import check
from flinkform.rules.world import World


def said(count: int) -> list[str]:
    """Return what is said where so many jobs write one file."""
    jobs = tuple(Job(f"bids/j{n:03}.sql", f"j{n:03}", "bids", {"sql": ""}, {}) for n in range(count))
    table = Table("t", 1, 1, {"connector": "filesystem", "path": "file:///out"}, writes=True)
    return [one.message for one in check(World("jobs", jobs, tables={job.path: (table,) for job in jobs}), ())]


def test_few_others_are_named() -> None:
    """Each finding names all of them."""
    assert said(1) == []
    assert said(3)[1] == "filesystem:file:///out is written by bids/j000.sql and bids/j002.sql too"


def test_many_others_are_counted() -> None:
    """What is said of three hundred jobs does not name three hundred in each of as many lines."""
    found = said(300)
    assert len(found) == 300
    start = "filesystem:file:///out is written by bids/j000.sql and "
    assert found[-1] == f"{start}bids/j001.sql and bids/j002.sql and 296 more too"
    assert found[1] == f"{start}bids/j002.sql and bids/j003.sql and 296 more too"
