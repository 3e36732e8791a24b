"""Hot updates: a running job's parallelism, as its deployment says it or as the body does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controlplane.api.world import Api


def setting(parallelism: int) -> dict[str, Any]:
    basic = {"parallelism": parallelism}
    return {"streamingResourceSetting": {"resourceSettingMode": "BASIC", "basicResourceSetting": basic}}


def running(api: Api, **document: Any) -> tuple[str, str]:
    """A deployment and its job, which runs."""
    made = api.make(**{**setting(1), **document})
    job = api.started(made)
    api.run_is(job, "RUNNING", started_at=api.now)
    return made, job


def test_deployment_says_it(api: Api) -> None:
    """Without a body a job takes up its deployment's parallelism; what was asked is told from then on."""
    made, job = running(api)
    api.call("UpdateDeployment", setting(3), deploymentId=made)
    told = api.call("HotUpdateJob", jobId=job)["data"]
    assert (told["jobId"], told["status"]["status"]) == (job, "HOT_UPDATING")
    assert told["hotUpdateParams"] == {"rescaleJobParam": {"jobParallelism": 3}}
    assert told["targetResourceSetting"]["streamingResourceSetting"]["basicResourceSetting"] == {"parallelism": 3}
    assert api.call("GetHotUpdateJobResult", jobHotUpdateId=told["jobHotUpdateId"])["data"] == told
    assert api.fails("HotUpdateJob", jobId=job) == (
        "OperationConflict",
        f"the parallelism of job {job} is being changed already; wait until that is done",
    )


def test_unknown(api: Api) -> None:
    """A hot update that is not there is not found."""
    assert api.fails("GetHotUpdateJobResult", jobHotUpdateId="nope")[0] == "990301"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"flinkConf": {"a": "b"}}, "only the parallelism of a running job can change, got flinkConf"),
        ({"artifact": {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": "SELECT 9"}}}, "got artifact"),
    ],
    ids=str,
)
def test_more_differs(api: Api, edit: dict[str, Any], said: str) -> None:
    """Whatever else differs needs a new job."""
    made, job = running(api)
    api.call("UpdateDeployment", {**setting(3), **edit}, deploymentId=made)
    code, message = api.fails("HotUpdateJob", jobId=job)
    assert code == "OperationConflict"
    assert said in message


@pytest.mark.parametrize(
    ("document", "by"),
    [
        ({"flinkConf": {"table.exec.resource.default-parallelism": 2}}, "table.exec.resource.default-parallelism"),
        ({"artifact": "SET 'parallelism.default' = '2'; INSERT INTO a SELECT 1"}, "parallelism"),
        ({"artifact": "CREATE TABLE s (a INT) WITH ('sink.parallelism' = '1')"}, "sink.parallelism"),
    ],
    ids=str,
)
def test_script_decides(api: Api, document: dict[str, Any], by: str) -> None:
    """A script that decides on parallelism itself would not be obeyed, so its job is not updated hot."""
    if isinstance(document.get("artifact"), str):
        document["artifact"] = {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": document["artifact"]}}
    made, job = running(api, **document)
    api.call("UpdateDeployment", setting(3), deploymentId=made)
    code, message = api.fails("HotUpdateJob", jobId=job)
    assert (code, f"decides on its parallelism itself, by {by}" in message) == ("OperationConflict", True)


def test_greatest_parallelism_is_no_decision(api: Api) -> None:
    """A limit does not decide."""
    made, job = running(api, flinkConf={"pipeline.max-parallelism": 12})
    api.call("UpdateDeployment", setting(3), deploymentId=made)
    assert api.call("HotUpdateJob", jobId=job)["data"]["status"]["status"] == "HOT_UPDATING"
