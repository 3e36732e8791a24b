"""What `status` shows, and how long `up` waits for jobs that are on their way."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from flinkform.cli import api, status, up
from flinkform.cli.progress import Step
from flinkform.cli.project import Project


def job(name: str, state: str, *, trouble: str = "", desired: str = "running") -> dict[str, str]:
    place = {"namespace": "shop", "name": name, "deployment_id": f"d-{name}", "job_id": "j", "url": ""}
    return {**place, "desired": desired, "state": state, "trouble": trouble}


class Plane:
    """The answers of a control plane, by path."""

    def __init__(self, *jobs: dict[str, str], states: dict[str, Any] | None = None) -> None:
        self.states = states or {}
        self.jobs = list(jobs)
        self.asked: list[str] = []

    def call(self, _project: Project, _method: str, path: str) -> Any:
        self.asked.append(path)
        if path == "/flinkform/v1/status":
            return {"jobs": [dict(one) for one in self.jobs]}
        if path == "/flinkform/v1/states":
            return {"states": [{"address": at, "version": int(bool(kept))} for at, kept in self.states.items()]}
        return self.states[path.removeprefix("/state/")]


@pytest.fixture
def here(tmp_path: Path) -> Project:
    return Project(tmp_path, tmp_path, {"FLINKFORM_ENDPOINT": "http://plane"})


def kept(**wanted: str) -> dict[str, Any]:
    """Return a state with these jobs."""
    jobs = [{"attributes": {"deployment_id": f"d-{name}", "state": state}} for name, state in wanted.items()]
    return {"resources": [{"type": "flink_namespace", "instances": [{}]}, {"type": "flink_job", "instances": jobs}]}


def test_a_failed_job_that_shall_not_run(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API knows how its last run ended; that it was suspended since stands in Terraform's state alone."""
    plane = Plane(
        job("a", "FAILED"),
        job("b", "FAILED"),
        states={"dev/shop": kept(a="suspended", b="failed"), "prod/shop": kept(b="suspended"), "dev/new": None},
    )
    monkeypatch.setattr(api, "call", plane.call)
    assert {one["name"]: one["desired"] for one in status.read(here)["jobs"]} == {"a": "suspended", "b": "running"}


def test_states_are_asked_for_failed_jobs_only(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be large."""
    plane = Plane(job("a", "RUNNING"), job("b", "FAILED", desired="suspended"))
    monkeypatch.setattr(api, "call", plane.call)
    status.read(here)
    assert plane.asked == ["/flinkform/v1/status"]


def test_trouble_is_for_people(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the table, by job; the object of `--json` has the keys that others build on, and no more."""
    monkeypatch.setattr(api, "call", Plane(job("a", "STARTING", trouble="no such file")).call)
    found = status.read(here)
    assert status.text(found).endswith("\n\nshop/a: no such file")
    assert status.told(found) == {
        "endpoint": "http://plane",
        "jobs": [
            {
                "namespace": "shop",
                "name": "a",
                "desired": "running",
                "state": "STARTING",
                "deployment_id": "d-a",
                "job_id": "j",
                "target": "",
                "url": "",
            }
        ],
    }


@pytest.mark.parametrize(
    ("jobs", "seconds", "looks"),
    [
        ([job("a", "RUNNING")], 100, 1),
        ([job("a", "STARTING")], 0, 1),
        ([job("a", "STARTING"), job("b", "STARTING", trouble="no such file")], 100, 11),
        ([job("a", "STARTING", trouble="no such file")], 100, 3),
    ],
)
def test_up_waits_no_longer_than_there_is_hope(
    here: Project, monkeypatch: pytest.MonkeyPatch, jobs: list[dict[str, str]], seconds: float, looks: int
) -> None:
    """Two minutes for jobs that are on their way, some seconds if all of them fail, none where no job can run."""
    plane = Plane(*jobs)
    monkeypatch.setattr(api, "call", plane.call)
    monkeypatch.setattr("time.sleep", lambda _: None)
    ticks = itertools.chain([0.0], itertools.count(0.0, 10.0))
    up.settled(here, Step("waiting", lambda _: None), seconds=seconds, clock=lambda: next(ticks))
    assert len(plane.asked) == looks


def test_where_jobs_run(here: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A column says where jobs run once one of them does not run where all others do."""
    plane = Plane({**job("a", "RUNNING"), "target": "session/shared"}, job("b", "RUNNING"))
    monkeypatch.setattr(api, "call", plane.call)
    head, one, other = status.text(status.read(here)).splitlines()
    assert head.split() == ["NAMESPACE", "NAME", "DESIRED", "STATE", "TARGET", "URL"]
    assert (one.split()[4], other.split()[4]) == ("session/shared", "-")
