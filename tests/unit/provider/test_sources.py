"""What the data sources answer."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.provider import sources
from flinkform.provider.lists import Lists
from flinkform.provider.session import Session
from flinkform.resources import engine_versions, jobs
from flinkform.resources.job import RESOURCE
from tests.unit.provider.clock import Time
from tests.unit.provider.cloud import Cloud
from tests.unit.provider.core import World

CONFIG: dict[str, Any] = {a.name: None for a in RESOURCE.attributes} | {"workspace": "w", "namespace": "n", "sql": "S"}


@pytest.fixture
def cloud() -> Cloud:
    """A namespace with a job that runs, one that failed and one that is suspended."""
    cloud = Cloud()
    for name, state in (("b-runs", "running"), ("a-failed", "running"), ("c-rests", "suspended")):
        World(RESOURCE, cloud).apply(CONFIG | {"name": name, "state": state, "labels": {"team": name}})
    cloud.kill("a-failed")
    cloud.calls.clear()
    return cloud


def session(cloud: Cloud) -> Session:
    time = Time()
    return Session(client=cloud, lists=Lists(cloud), stop=time, clock=time)


def test_jobs(cloud: Cloud) -> None:
    """Every job of a namespace, by name, with its state, from one list; our own labels stay out of sight."""
    config = {"workspace": "w", "namespace": "n", "name": None, "jobs": None}
    found = sources.read(jobs.DATA_SOURCE, config, session(cloud))
    states = [(row["name"], row["state"]) for row in found["jobs"]]
    assert states == [("a-failed", "failed"), ("b-runs", "running"), ("c-rests", "suspended")]
    assert found["jobs"][0]["labels"] == {"team": "a-failed"}
    assert (found["workspace"], found["name"]) == ("w", None)
    assert dict(cloud.calls) == {"ListDeployments": 1}


def test_filter(cloud: Cloud) -> None:
    """A name filters by any part of it."""
    config = {"workspace": "w", "namespace": "n", "name": "r", "jobs": None}
    found = sources.read(jobs.DATA_SOURCE, config, session(cloud))
    assert [row["name"] for row in found["jobs"]] == ["b-runs", "c-rests"]


def test_versions(cloud: Cloud) -> None:
    """The engine versions, and the default beside them."""
    config = {"workspace": "w", "versions": None, "default": None}
    found = sources.read(engine_versions.DATA_SOURCE, config, session(cloud))
    assert found == {
        "workspace": "w",
        "versions": [{"version": "vvr-1", "status": "STABLE"}],
        "default": "vvr-1",
    }
