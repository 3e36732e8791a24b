"""A namespace starts no more than it has, says who has it, and changes its size under what runs."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.controlplane import units
from flinkform.controlplane.store import clusters
from tests.unit.controlplane.api.test_clusters import become, make
from tests.unit.controlplane.api.world import Api


def sized(parallelism: int = 1, cpu: float = 1.0, memory: str = "4 GiB") -> dict[str, Any]:
    """What a deployment says that takes as much for each of its task managers, and a core beside them."""
    basic = {
        "parallelism": parallelism,
        "jobmanagerResourceSettingSpec": {"cpu": 1.0, "memory": "4 GiB"},
        "taskmanagerResourceSettingSpec": {"cpu": cpu, "memory": memory},
    }
    return {"streamingResourceSetting": {"basicResourceSetting": basic}}


def start(api: Api, name: str, **fields: Any) -> str:
    """Start a job of a new deployment; return its id."""
    return str(api.call("StartJob", {"deploymentId": api.make(name=name, **fields)})["data"]["jobId"])


def test_no_more_than_it_has(api: Api) -> None:
    """A start that would take a namespace beyond its units is refused and names who uses what; room lets it start."""
    big = start(api, "big", **sized(6))
    start(api, "small", **sized())
    late = {"deploymentId": api.make(name="late", **sized())}
    code, said = api.fails("StartJob", late)
    assert code == "OperationConflict"
    assert said == (
        "late needs 2 CU, and of the 10 CU of namespace main-default 1 CU are free; "
        "used by big (7 CU), small (2 CU); stop something, or give the namespace more"
    )
    api.call("StopJob", {"stopStrategy": "NONE"}, jobId=big)
    assert api.fails("StartJob", late)[0] == "OperationConflict"
    more = {"Cpu": 20, "MemoryGB": 80}
    api.call("ModifyNamespaceSpecV2", Namespace="main-default", Ha=False, GuaranteedResourceSpec=more)
    api.call("StartJob", late)


def test_resize_under_jobs(api: Api) -> None:
    """A namespace gets another size under its jobs, which nobody touches, and none that is smaller than they are."""
    job = start(api, "big", **sized(4))
    code, said = api.fails(
        "ModifyNamespaceSpecV2", Namespace="main-default", Ha=False, GuaranteedResourceSpec={"Cpu": 4, "MemoryGB": 16}
    )
    assert (code, said) == (
        "OperationConflict",
        "namespace main-default uses 5 CU, more than 4 CU; used by big (5 CU); stop something first",
    )
    before = api.call("GetJob", jobId=job)["data"]
    api.call(
        "ModifyNamespaceSpecV2", Namespace="main-default", Ha=False, GuaranteedResourceSpec={"Cpu": 5, "MemoryGB": 20}
    )
    assert api.call("GetJob", jobId=job)["data"] == before


def test_hot_update(api: Api) -> None:
    """A running job is given no more tasks than its namespace has room for, and may always have fewer."""
    job = start(api, "big", **sized(4))
    start(api, "small", **sized(3))
    api.run_is(job, "RUNNING", started_at=api.now)
    code, said = api.fails("HotUpdateJob", {"rescaleJobParam": {"jobParallelism": 6}}, jobId=job)
    assert (code, said.partition(" of the")[0]) == ("OperationConflict", "big needs 7 CU, and")
    assert "6 CU are free" in said
    api.call("HotUpdateJob", {"rescaleJobParam": {"jobParallelism": 5}}, jobId=job)


def test_session_clusters(api: Api) -> None:
    """A session cluster counts while it runs, and by its new size when it is updated; its jobs take nothing more."""
    size = {"parallelism": 4, "taskmanagerResourceSettingSpec": {"cpu": 8.0, "memory": "4Gi"}}
    make(api, basicResourceSetting=size)
    api.call("StartSessionCluster", sessionClusterName="shared")
    start(api, "inside", **sized(6), deploymentTarget={"mode": "SESSION", "name": "shared"})
    start(api, "beside", **sized())
    late = {"deploymentId": api.make(name="late", **sized())}
    assert "used by session cluster shared (8 CU), beside (2 CU)" in api.fails("StartJob", late)[1]
    become(api, "RUNNING")
    larger = {"basicResourceSetting": {**size, "taskmanagerResourceSettingSpec": {"cpu": 9.0, "memory": "4Gi"}}}
    code, said = api.fails("UpdateSessionCluster", larger, sessionClusterName="shared")
    assert (code, said.partition(" of the")[0]) == ("OperationConflict", "session cluster shared needs 9 CU, and")
    with api.store.read() as db:
        assert clusters.get(db, api.workspace, api.namespace, "shared").state == "RUNNING"


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({}, 0.01),
        (sized(4), 5.0),
        ({**sized(4), "flinkConf": {"taskmanager.numberOfTaskSlots": "2"}}, 3.0),
        (sized(1, cpu=0.5, memory="8Gi"), 3.0),
        (sized(1, cpu=0.5, memory="1024m"), 1.5),
        ({**sized(4), "runtime": "session:c-1"}, 0.0),
    ],
)
def test_units(definition: dict[str, Any], expected: float) -> None:
    """A unit is a core or 4 GiB, whichever is more; what a job does not say costs next to nothing."""
    assert units.of_job(definition) == pytest.approx(expected)
