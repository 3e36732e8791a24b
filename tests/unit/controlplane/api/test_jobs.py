"""Jobs and savepoints: asked for, shown, and ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controlplane.api.world import Api, Clock, Flink


def test_job_starts_as_its_deployment_is(api: Api, clock: Clock) -> None:
    """A new job is STARTING, carries its definition, and tells times in the API's two types."""
    made = api.make(flinkConf={"a": "1"}, localVariables=[{"name": "v", "value": "1"}])
    job = api.call("StartJob", {"deploymentId": made, "restoreStrategy": {"kind": "NONE"}})["data"]
    assert job["status"] == {"currentJobStatus": "STARTING"}
    assert job["createdAt"] == str(int(clock.now))
    assert "startTime" not in job
    assert (job["deploymentId"], job["deploymentName"], job["flinkConf"]) == (made, "bids", {"a": "1"})
    api.run_is(job["jobId"], "RUNNING", started_at=api.now)
    shown = api.call("GetJob", jobId=job["jobId"])["data"]
    assert shown["status"]["currentJobStatus"] == "RUNNING"
    assert shown["startTime"] == int(clock.now)
    assert api.call("ListJobs", deploymentId=made)["data"] == [shown]


def test_start_may_change_this_run_alone(api: Api) -> None:
    """Resources and options of a start are merged over the deployment's and leave the deployment as it was."""
    made = api.make(
        flinkConf={"a": "1", "b": "2"},
        streamingResourceSetting={"resourceSettingMode": "BASIC", "basicResourceSetting": {"parallelism": 1}},
    )
    spec = {"flinkConf": {"a": "9"}, "streamingResourceSetting": {"basicResourceSetting": {"parallelism": 3}}}
    job = api.call("StartJob", {"deploymentId": made, "resourceSettingSpec": spec})["data"]
    assert job["flinkConf"] == {"a": "9", "b": "2"}
    assert job["streamingResourceSetting"]["basicResourceSetting"]["parallelism"] == 3
    assert job["streamingResourceSetting"]["resourceSettingMode"] == "BASIC"
    assert api.call("GetDeployment", deploymentId=made)["data"]["flinkConf"] == {"a": "1", "b": "2"}


def test_start_with_params_sets_variables(api: Api) -> None:
    """StartJobWithParams gives values to variables; `[]` leaves those of the deployment."""
    made = api.make(localVariables=[{"name": "v", "value": "1"}])
    job = api.call("StartJobWithParams", {"deploymentId": made, "localVariables": [{"name": "v", "value": "2"}]})
    assert job["data"]["localVariables"] == [{"name": "v", "value": "2"}]
    api.run_is(job["data"]["jobId"], "CANCELLED", ended_at=api.now)
    again = api.call("StartJobWithParams", {"deploymentId": made, "localVariables": []})
    assert again["data"]["localVariables"] == [{"name": "v", "value": "1"}]
    code, _ = api.fails("StartJobWithParams", {"deploymentId": made, "resourceQueueName": "big"})
    assert code == "InvalidParameter"


def test_streaming_runs_once_and_batch_often(api: Api) -> None:
    """A second start is a conflict while a streaming job lives, and none for batch."""
    stream, batch = api.make("stream"), api.make("batch", executionMode="BATCH")
    api.started(stream)
    assert api.fails("StartJob", {"deploymentId": stream})[0] == "OperationConflict"
    api.started(batch)
    api.started(batch)
    assert api.call("GetDeployment", deploymentId=batch)["data"]["jobSummary"]["running"] == 2


@pytest.mark.parametrize(
    ("restore", "code", "said"),
    [
        ({"kind": "SOME"}, "InvalidParameter", "restoreStrategy.kind: expected one of NONE"),
        ({"kind": "FROM_SAVEPOINT"}, "InvalidParameter", "restoreStrategy.savepointId: is required"),
        ({"kind": "FROM_SAVEPOINT", "savepointId": "nope"}, "990301", "nope"),
        ({"knd": "NONE"}, "InvalidParameter", "restoreStrategy.knd: unknown field"),
    ],
)
def test_bad_restore_is_refused(api: Api, restore: dict[str, Any], code: str, said: str) -> None:
    """A start from something that cannot be is refused, and no job is made."""
    made = api.make()
    found, message = api.fails("StartJob", {"deploymentId": made, "restoreStrategy": restore})
    assert found == code
    assert said in message
    assert api.call("ListJobs", deploymentId=made)["totalSize"] == 0


def test_start_wants_a_deployment(api: Api) -> None:
    """A start of nothing, or of what is not there, is refused."""
    assert api.fails("StartJob", {})[0] == "InvalidParameter"
    assert api.fails("StartJob", {"deploymentId": "nope"})[0] == "990301"


def test_what_is_asked_for_is_looked_at_now(api: Api, flink: Flink) -> None:
    """A start, a savepoint and a stop each wake the reconciler; reads do not."""
    made = api.make()
    assert flink.woken == 0
    run = api.started(made)
    api.call("CreateSavepoint", {"deploymentId": made})
    api.call("StopJob", {"stopStrategy": "NONE"}, jobId=run)
    api.call("GetJob", jobId=run)
    assert flink.woken == 3


def test_stop_is_asked_for_once(api: Api) -> None:
    """A stop leaves the job CANCELLING until it ended, then it is a conflict."""
    run = api.started(api.make())
    stopped = api.call("StopJob", {"stopStrategy": "STOP_WITH_SAVEPOINT"}, jobId=run)["data"]
    assert stopped["status"]["currentJobStatus"] == "CANCELLING"
    taken = api.call("ListSavepoints", jobId=run)["data"]
    assert [(one["savepointOrigin"], one["status"]["state"]) for one in taken] == [("STOP_WITH_SAVEPOINT", "STARTED")]
    assert api.fails("DeleteJob", jobId=run)[0] == "OperationConflict"
    api.run_is(run, "CANCELLED", ended_at=api.now)
    assert api.fails("StopJob", {"stopStrategy": "NONE"}, jobId=run)[0] == "OperationConflict"
    api.call("DeleteJob", jobId=run)
    assert api.fails("GetJob", jobId=run)[0] == "990301"


def test_stop_needs_a_strategy(api: Api) -> None:
    """StopJob without a strategy, or with one that is none, names the field."""
    run = api.started(api.make())
    assert api.fails("StopJob", {}, jobId=run) == ("MissingParameter", "stopStrategy is required and missing")
    code, message = api.fails("StopJob", {"stopStrategy": "NOW"}, jobId=run)
    assert (code, message.partition(":")[0]) == ("InvalidParameter", "stopStrategy")


def test_failure_is_told_in_seconds(api: Api) -> None:
    """A failed job tells why, and when in the unit of every other time."""
    run = api.started(api.make())
    why = {"failedAt": 1_790_000_005_678, "reason": "division by zero", "message": "java.lang.ArithmeticException"}
    api.run_is(run, "FAILED", ended_at=api.now, failure=why)
    status = api.call("GetJob", jobId=run)["data"]["status"]
    assert status == {"currentJobStatus": "FAILED", "failure": {**why, "failedAt": 1_790_000_005}}


def test_jobs_are_listed_newest_first(api: Api, clock: Clock) -> None:
    """ListJobs shows a deployment's jobs newest first, and wants to know whose."""
    made = api.make()
    ids = []
    for _ in range(3):
        clock.now += 1
        ids.append(api.started(made))
        api.run_is(ids[-1], "CANCELLED", ended_at=api.now)
    page = api.call("ListJobs", deploymentId=made, pageSize=2)
    assert [one["jobId"] for one in page["data"]] == ids[:0:-1]
    assert page["totalSize"] == 3
    assert api.fails("ListJobs", deploymentId="nope")[0] == "990301"


def test_savepoint_of_a_running_job(api: Api, clock: Clock) -> None:
    """A savepoint is STARTED, then COMPLETED with its place; its times are numbers."""
    made = api.make()
    assert api.fails("CreateSavepoint", {"deploymentId": made})[0] == "OperationConflict"
    run = api.started(made)
    taken = api.call("CreateSavepoint", {"deploymentId": made, "description": "d", "nativeFormat": True})["data"]
    assert taken["status"] == {"state": "STARTED"}
    assert (taken["createdAt"], taken["jobId"]) == (int(clock.now), run)
    assert (taken["nativeFormat"], taken["description"], taken["savepointOrigin"]) == (True, "d", "USER_REQUEST")
    assert api.fails("DeleteSavepoint", savepointId=taken["savepointId"])[0] == "OperationConflict"
    api.savepoint_is(taken["savepointId"], "COMPLETED", location="file:///s")
    done = api.call("GetSavepoint", savepointId=taken["savepointId"])["data"]
    assert (done["savepointLocation"], done["status"]["state"]) == ("file:///s", "COMPLETED")
    assert api.call("ListSavepoints", deploymentId=made)["data"] == [done]
    assert api.call("ListSavepoints", jobId="other")["data"] == []
    api.call("DeleteSavepoint", savepointId=taken["savepointId"])
    assert api.fails("GetSavepoint", savepointId=taken["savepointId"])[0] == "990301"


def test_start_from_a_savepoint_wants_a_completed_one(api: Api) -> None:
    """FROM_SAVEPOINT is refused for a savepoint that is not done, and kept with the job for one that is."""
    made = api.make()
    run = api.started(made)
    taken = api.call("CreateSavepoint", {"deploymentId": made})["data"]["savepointId"]
    api.run_is(run, "CANCELLED", ended_at=api.now)
    restore = {"kind": "FROM_SAVEPOINT", "savepointId": taken}
    body = {"deploymentId": made, "restoreStrategy": restore}
    assert api.fails("StartJob", body)[0] == "OperationConflict"
    api.savepoint_is(taken, "COMPLETED", location="file:///s")
    assert api.call("StartJob", body)["data"]["restoreStrategy"] == restore


def test_start_from_a_path(api: Api) -> None:
    """A path of a savepoint that is known becomes its id, as Alibaba wants it; another path is kept as it is."""
    made = api.make()
    run = api.started(made)
    taken = api.call("CreateSavepoint", {"deploymentId": made})["data"]["savepointId"]
    api.run_is(run, "CANCELLED", ended_at=api.now)
    api.savepoint_is(taken, "COMPLETED", location="file:///s%20t/savepoint-1")
    body = {"deploymentId": made, "restoreStrategy": {"kind": "FROM_SAVEPOINT", "savepointId": "/s t/savepoint-1"}}
    job = api.call("StartJob", body)["data"]
    assert job["restoreStrategy"]["savepointId"] == taken
    api.run_is(job["jobId"], "CANCELLED", ended_at=api.now)
    body["restoreStrategy"] = {"kind": "FROM_SAVEPOINT", "savepointId": "s3://bucket/savepoint-2"}
    assert api.call("StartJobWithParams", body)["data"]["restoreStrategy"] == body["restoreStrategy"]
