"""What the data sources answer."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.errors import NotFound
from flinkform.provider import sources
from flinkform.provider.lists import Lists
from flinkform.provider.session import Session
from flinkform.resources import DATA_SOURCES, engine_versions, jobs
from flinkform.resources.job import RESOURCE
from tests.unit.provider.clock import Time
from tests.unit.provider.cloud import Cloud
from tests.unit.provider.core import World

JOB = next(one for one in DATA_SOURCES if one.name == "job")
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


def test_labels_and_states(cloud: Cloud) -> None:
    """Jobs are filtered by labels that they have among others, by mode and by state."""
    place = {"workspace": "w", "namespace": "n"}
    asked: list[dict[str, Any]] = [{"labels": {"team": "b-runs"}}, {"state": "suspended"}, {"execution_mode": "BATCH"}]
    found = [sources.read(jobs.DATA_SOURCE, place | one, session(cloud))["jobs"] for one in asked]
    assert [[row["name"] for row in rows] for rows in found] == [["b-runs"], ["c-rests"], []]


@pytest.mark.parametrize("asked", [{"name": "b-runs"}, {"labels": {"team": "b-runs"}}, {"deployment_id": ""}])
def test_job(cloud: Cloud, asked: dict[str, Any]) -> None:
    """One job is found by its name, its labels or its id, with its state and without the labels that are ours."""
    key = next(one["deploymentId"] for one in cloud.deployments.values() if one["name"] == "b-runs")
    place = {"workspace": "w", "namespace": "n"}
    found = sources.read(
        JOB, place | asked | ({"deployment_id": key} if "deployment_id" in asked else {}), session(cloud)
    )
    assert (found["name"], found["deployment_id"], found["state"]) == ("b-runs", key, "running")
    assert (found["sql"], found["labels"], found["id"]) == ("S", {"team": "b-runs"}, f"w/n/{key}")


@pytest.mark.parametrize(
    ("asked", "got"), [({"name": "none"}, "none"), ({"sql": "S"}, 3), ({"deployment_id": "x"}, "none")]
)
def test_no_job(cloud: Cloud, asked: dict[str, Any], got: Any) -> None:
    """What no job or several are like is refused, and how many there are is said."""
    with pytest.raises(NotFound, match=f"expected one job with .*, got {got}"):
        sources.read(JOB, {"workspace": "w", "namespace": "n"} | asked, session(cloud))


def test_versions(cloud: Cloud) -> None:
    """The engine versions, and the default beside them."""
    config = {"workspace": "w", "versions": None, "default": None}
    found = sources.read(engine_versions.DATA_SOURCE, config, session(cloud))
    assert found == {
        "workspace": "w",
        "versions": [{"version": "vvr-1", "status": "STABLE"}],
        "default": "vvr-1",
    }
