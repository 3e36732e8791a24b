"""What jobs did: validation, engine versions, events, logs, diagnosis and Flink's own REST."""

from __future__ import annotations

import pytest

from flinkform.controlplane.store import clusters, runs
from flinkform.controlplane.store.intents import tell
from flinkform.flink.values import Problem
from tests.unit.controlplane.api.world import Api, Flink


def test_valid_script(api: Api, flink: Flink) -> None:
    """A script without problems is valid; Flink is given mode and options as it writes them."""
    body = {"statement": "SELECT 1", "batchMode": True, "flinkConfiguration": {"a": True, "b": 1}}
    found = api.call("ValidateSqlStatement", body)["data"]
    assert found == {"success": True, "validationResult": "VALIDATION_RESULT_VALID", "message": ""}
    assert flink.validated == [("SELECT 1", True, {"a": "true", "b": "1"})]


def test_invalid_script_has_a_place(api: Api, flink: Flink) -> None:
    """The first problem is told with its place, in text as the API's model has it."""
    flink.problems = [Problem(2, 3, 2, 5, "no such table"), Problem(9, 9, 9, 9, "later")]
    answer = api.call("ValidateSqlStatement", {"statement": "SELECT", "batchMode": False})
    assert answer["success"] is True
    found = answer["data"]
    assert (found["success"], found["validationResult"]) == (False, "VALIDATION_RESULT_INVALID")
    details = found["errorDetails"]
    assert (details["lineNumber"], details["columnNumber"], details["endColumnNumber"]) == ("2", "3", "5")
    assert details["message"] == "no such table"


def test_validation_wants_statement_and_mode(api: Api) -> None:
    """Without a statement or a mode there is nothing to validate."""
    assert api.fails("ValidateSqlStatement", {"statement": "x"})[1] == "batchMode is required and missing"
    assert api.fails("ValidateSqlStatement", {"batchMode": True})[1] == "statement is required and missing"


def test_engine_versions(api: Api) -> None:
    """There is one engine version, and it is the default; one that is installed is offered, and may be asked for."""
    found = api.call("ListEngineVersionMetadata")["data"]
    assert [one["engineVersion"] for one in found["engineVersionMetadata"]] == [found["defaultEngineVersion"]]
    lib = api.services.settings.engines / "1.20" / "pyflink" / "lib"
    lib.mkdir(parents=True)
    (lib / "flink-dist-1.20.5.jar").touch()
    found = api.call("ListEngineVersionMetadata")["data"]
    names = [one["engineVersion"] for one in found["engineVersionMetadata"]]
    assert names == [found["defaultEngineVersion"], "vvr-flinkform-flink-1.20"]


def test_events_by_deployment(api: Api) -> None:
    """Events are newest first, and found by a deployment's id or name."""
    one, two = api.make("one"), api.make("two")
    run = api.started(one)
    told = api.call("GetEvents", deploymentId=one)
    assert [event["eventName"] for event in told["data"]] == ["JOB_START_REQUESTED", "DEPLOYMENT_CREATED"]
    assert (told["data"][0]["jobId"], told["data"][1]["jobId"]) == (run, "")
    assert [event["deploymentId"] for event in api.call("GetEvents", deploymentName="two")["data"]] == [two]
    assert api.call("GetEvents", pageSize=1)["totalSize"] >= 3


def test_what_was_asked_for_names_the_request(api: Api) -> None:
    """The request id of a start, a savepoint and a stop leads from an event to the call that asked."""
    made = api.make()
    started = api.call("StartJob", {"deploymentId": made})["requestId"]
    run = api.call("ListJobs", deploymentId=made)["data"][0]["jobId"]
    api.run_is(run, "RUNNING", started_at=api.now)
    saved = api.call("CreateSavepoint", {"deploymentId": made})["requestId"]
    stopped = api.call("StopJob", {"stopStrategy": "NONE"}, jobId=run)["requestId"]
    told = [event["message"] for event in api.call("GetEvents", deploymentId=made)["data"]]
    for request, said in zip((stopped, saved, started), told, strict=False):
        assert f"(request {request}) asked for" in said


def test_start_log(api: Api, flink: Flink) -> None:
    """How the newest job was handed over, and its log; of one that failed before it logged, why; of none, nothing."""
    made = api.make()
    assert api.call("GetLatestJobStartLog", deploymentId=made)["data"] == ""
    run = api.started(made, state="STARTING")
    api.run_is(run, "FAILED", failure={"failedAt": 1, "reason": "r", "message": "line 2: no such table"})
    assert api.call("GetLatestJobStartLog", deploymentId=made)["data"] == "line 2: no such table"
    flink.said = "it began\n"
    assert api.call("GetLatestJobStartLog", deploymentId=made)["data"] == "it began\n"
    with api.store.write() as db:
        found = runs.find(db, run)
        assert found is not None
        tell(db, found, "JOB_SUBMITTED", "under a compiled plan", now=1)
        tell(db, found, "JOB_RUNNING", "it runs", now=2)
    assert api.call("GetLatestJobStartLog", deploymentId=made)["data"] == "under a compiled plan\nit began\n"
    with api.store.write() as db:
        tell(db, found, "JOB_QUARANTINED", "it fails too often", now=3)
    answer = api.call("GetLatestJobStartLog", deploymentId=made)["data"]
    assert answer == "under a compiled plan\nit began\nit fails too often\n"


def test_diagnosis(api: Api) -> None:
    """A healthy job has no symptoms; a failed one has its failure, under the time it happened in."""
    made = api.make()
    run = api.started(made)
    assert api.call("GetJobDiagnosis", deploymentId=made, jobId=run)["data"]["symptoms"]["runtime"] == []
    api.run_is(run, "FAILED", failure={"failedAt": 1, "reason": "division by zero", "message": "m", "advice": "x"})
    found = api.call("GetJobDiagnosis", deploymentId=made, jobId=run)["data"]
    assert found["riskLevel"] == "RISK_LEVEL_HIGH"
    symptom = {"name": "division by zero", "description": "m", "recommendation": "x"}
    assert found["symptoms"]["runtime"] == [symptom]
    told = api.call("GetJob", jobId=run)["data"]["status"]["failure"]
    assert told == {"failedAt": 0, "reason": "division by zero", "message": "m"}


def test_proxy_asks_flink_about_one_job(api: Api, rest: str) -> None:
    """The job's id in a path becomes Flink's; the answer is text."""
    assert rest
    run = api.started(api.make())
    asked = {"resourceType": "jobs", "resourceId": run}
    found = api.call("FlinkApiProxy", flinkApiPath=f"/jobs/{run}/checkpoints?x=1", **asked)["data"]
    assert found == f'{{"path": "/jobs/{run.replace("-", "")}/checkpoints?x=1"}}'
    assert "overview" in api.call("FlinkApiProxy", flinkApiPath="/overview", **asked)["data"]
    assert api.fails("FlinkApiProxy", flinkApiPath="/missing", **asked)[0] == "990301"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/jobs/overview", "InvalidParameter"),
        ("/v1/jobs/0123/config", "InvalidParameter"),
        ("http://example.com/", "InvalidParameter"),
        ("//example.com/", "InvalidParameter"),
        ("overview", "InvalidParameter"),
        ("/jars/x/plan", "Forbidden"),
        ("/%6aars/x/plan", "Forbidden"),
    ],
)
def test_proxy_looks_at_nothing_else(api: Api, rest: str, path: str, code: str) -> None:
    """Other jobs, other hosts and paths that act are refused."""
    assert rest
    run = api.started(api.make())
    assert api.fails("FlinkApiProxy", flinkApiPath=path, resourceType="jobs", resourceId=run)[0] == code


def test_proxy_asks_a_session_cluster(api: Api, rest: str) -> None:
    """A cluster that runs tells what its Flink says, of its own namespace alone; one that does not run is refused."""
    assert rest
    basic = {"parallelism": 1, "taskmanagerResourceSettingSpec": {"cpu": 1.0, "memory": "1Gi"}}
    api.call("CreateSessionCluster", {"name": "shared", "basicResourceSetting": basic})
    asked = {"resourceType": "sessionclusters", "resourceId": "shared"}
    assert api.fails("FlinkApiProxy", flinkApiPath="/overview", **asked)[0] == "OperationConflict"
    with api.store.write() as db:
        found = clusters.get(db, api.workspace, api.namespace, "shared")
        clusters.change(db, found, {"state": "RUNNING"})
    assert "/jobs/overview" in api.call("FlinkApiProxy", flinkApiPath="/jobs/overview", **asked)["data"]
    assert api.fails("FlinkApiProxy", flinkApiPath="/jars/x/plan", **asked)[0] == "Forbidden"
    assert api.fails("FlinkApiProxy", flinkApiPath="/overview", **{**asked, "resourceId": "x"})[0] == "990301"
    assert api.fails("FlinkApiProxy", flinkApiPath="/overview", **{**asked, "resourceType": "queues"})[1].endswith(
        "expected jobs or sessionclusters, got 'queues'"
    )


@pytest.mark.parametrize("verb", ["yarn-cancel", "yarn-stop"])
def test_proxy_ends_no_job(api: Api, rest: str, verb: str) -> None:
    """Flink ends a job on two of its GETs; the proxy knows them."""
    assert rest
    run = api.started(api.make())
    path = f"/jobs/{run}/{verb}"
    assert api.fails("FlinkApiProxy", flinkApiPath=path, resourceType="jobs", resourceId=run)[0] == "Forbidden"


def test_proxy_without_flink(api: Api) -> None:
    """While Flink does not run the API says so, as something that passes."""
    run = api.started(api.make())
    found = api.fails("FlinkApiProxy", flinkApiPath="/overview", resourceType="jobs", resourceId=run)
    assert found == ("ServiceUnavailable", "Flink does not run")
