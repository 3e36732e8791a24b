"""The runs of a deployment, with what each ran, began from and left."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.unit.controlplane.api.world import Api, Clock

SCRIPT = "INSERT INTO b SELECT * FROM a"


def runs(api: Api, deployment: str, query: str = "") -> Any:
    path = f"/flinkform/v1/jobs/{deployment}/runs{query}"
    return api.client.request("GET", path, auth=(api.key.id, api.key.secret))


def test_history(api: Api, clock: Clock) -> None:
    """Each run tells its script, commit, times, the savepoint it began from and the one it left, and its failure."""
    made = api.make(labels={"flinkform.io/commit": "0123abc", "team": "x"})
    first = api.started(made)
    api.call("StopJob", {"stopStrategy": "STOP_WITH_SAVEPOINT"}, jobId=first)
    savepoint = api.call("ListSavepoints", jobId=first)["data"][0]["savepointId"]
    api.savepoint_is(savepoint, "COMPLETED", location="file:///s")
    clock.now += 5
    api.run_is(first, "CANCELLED", ended_at=api.now)
    api.call("UpdateDeployment", {"labels": {"flinkform.io/commit": "4567def"}}, deploymentId=made)
    second = api.call("StartJob", {"deploymentId": made, "restoreStrategy": {"kind": "LATEST_STATE"}})["data"]["jobId"]
    why = {"failedAt": api.now, "reason": "no slots", "message": "trace"}
    api.run_is(second, "FAILED", began_from="file:///s", ended_at=api.now, failure=why)

    found = runs(api, made).json()
    assert found["total"] == 2
    newest, oldest = found["runs"]
    assert (newest["number"], newest["job_id"], newest["state"], newest["commit"]) == (2, second, "FAILED", "4567def")
    assert newest["began_from"] == {"place": "file:///s", "savepoint": savepoint}
    assert (newest["asked"], newest["left"], newest["started_at"]) == ({"kind": "LATEST_STATE"}, None, None)
    assert newest["failure"]["reason"] == "no slots"
    assert (oldest["state"], oldest["commit"], oldest["failure"]) == ("CANCELLED", "0123abc", None)
    assert oldest["left"] == {"place": "file:///s", "savepoint": savepoint, "origin": "STOP_WITH_SAVEPOINT"}
    assert oldest["began_from"] == {"place": None, "savepoint": None}
    assert oldest["sql_sha256"] == hashlib.sha256(SCRIPT.encode()).hexdigest()
    assert oldest["ended_at"] - oldest["started_at"] == 5000


def test_jobs_tell_where_they_began(api: Api) -> None:
    """The API's own jobs carry script, times and the savepoint that `LATEST_STATE` came to mean."""
    made = api.make()
    run = api.started(made)
    taken = api.call("CreateSavepoint", {"deploymentId": made})["data"]["savepointId"]
    api.savepoint_is(taken, "COMPLETED", location="file:///s")
    api.run_is(run, "CANCELLED", ended_at=api.now)
    again = api.call("StartJob", {"deploymentId": made, "restoreStrategy": {"kind": "LATEST_STATE"}})["data"]["jobId"]
    api.run_is(again, "RUNNING", began_from="file:///s", started_at=api.now)
    shown = api.call("GetJob", jobId=again)["data"]
    assert shown["restoreStrategy"] == {"kind": "LATEST_STATE", "savepointId": taken}
    assert shown["artifact"]["sqlArtifact"]["sqlScript"] == SCRIPT
    assert api.call("ListJobs", deploymentId=made)["data"][0] == shown


def test_bad_questions(api: Api) -> None:
    """No deployment, no run, a limit that is none, no key: each is told apart."""
    made = api.make()
    assert runs(api, made).status_code == 404
    assert runs(api, "nope").json()["message"] == "deployment nope does not exist or was never started"
    api.started(made)
    assert "limit=RUNS from 1 to 1000" in runs(api, made, "?limit=0").json()["message"]
    assert runs(api, made, "?limit=1").status_code == 200
    assert api.client.request("GET", f"/flinkform/v1/jobs/{made}/runs").status_code == 401
