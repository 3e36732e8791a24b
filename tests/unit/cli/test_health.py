"""Jobs that were just started are watched: the first that is not well is named, with why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli import health, named, status
from flinkform.cli.progress import Step
from flinkform.cli.project import Project
from flinkform.errors import JobFailed

JOB = {"namespace": "shop", "name": "x", "desired": "running", "state": "RUNNING", "job_id": "j", "workspace": "w"}


class World:
    """Jobs as the control plane tells them, look by look, and what Flink says of them."""

    def __init__(self, *looks: dict[str, Any]) -> None:
        self.looks = [dict(JOB, **look) for look in looks]
        self.time = 0.0
        self.failed = [0]
        self.completed = 1

    def read(self, _here: Project) -> dict[str, Any]:
        return {"jobs": [self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]]}

    def call(self, _name: str, params: dict[str, str]) -> dict[str, str]:
        path = params["flinkApiPath"]
        if "exceptions" in path:
            last = self.failed.pop(0) if len(self.failed) > 1 else self.failed[0]
            return {"data": json.dumps({"exceptionHistory": {"entries": [{"timestamp": last}] if last else []}})}
        counts = {"counts": {"completed": self.completed, "restored": 0}}
        return {"data": json.dumps({"mode": "x"} if path.endswith("config") else counts)}

    def watch(self, monkeypatch: pytest.MonkeyPatch, seconds: float = 3) -> None:
        monkeypatch.setattr(status, "read", self.read)
        monkeypatch.setattr(status, "ours", lambda _here: set())
        monkeypatch.setattr(named, "client", lambda _here: self)
        here, step = Project(Path(), Path(), {}), Step("x", lambda _: None)
        health.watch(here, {"shop/x"}, seconds, step, clock=lambda: self.time, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.time += seconds


def test_a_job_that_is_well_is_watched_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old failure, or one before it was looked at, is none of this wave."""
    world = World({})
    world.failed = [77]
    world.watch(monkeypatch)
    assert world.time == 3
    World({"desired": "suspended", "state": "SUSPENDED"}).watch(monkeypatch)
    World({"state": "FINISHED"}).watch(monkeypatch)


@pytest.mark.parametrize(
    ("looks", "failed", "completed", "message"),
    [
        ([{}, {"state": "FAILED", "trouble": "/ by zero"}], [0], 1, "shop/x is FAILED: / by zero"),
        ([{}, {"trouble": "starts again and again"}], [0], 1, "is RUNNING: starts again and again"),
        ([{}], [5, 5, 9], 1, "was started again by Flink after a failure"),
        ([{}], [0], 0, "has completed no checkpoint in 3 s"),
    ],
)
def test_one_that_is_not_well_ends_the_wave(
    monkeypatch: pytest.MonkeyPatch, looks: list[dict[str, Any]], failed: list[int], completed: int, message: str
) -> None:
    """It failed, is in trouble, was restarted, or makes no checkpoint."""
    world = World(*looks)
    world.failed, world.completed = failed, completed
    with pytest.raises(JobFailed, match=message):
        world.watch(monkeypatch)
