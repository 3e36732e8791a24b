"""Deployments: made, read, listed, changed in part, and deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.controlplane.api.world import Api, Clock, deployment

SCRIPT = "-- é ${x} %{y} '';'\r\nINSERT INTO b SELECT * FROM a;"


def test_deployment_comes_back_as_it_was_sent(api: Api, clock: Clock) -> None:
    """What was sent is answered byte for byte, beside what the control plane adds, in the API's types."""
    sent = deployment(
        artifact={"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": SCRIPT, "additionalDependencies": []}},
        description="für Leute",
        flinkConf={"a": 1, "b": True, "c": "x", "d": 1.5},
        labels={"team": "bids"},
        logging={"log4jLoggers": [{"loggerName": "root", "loggerLevel": "WARN"}]},
        streamingResourceSetting={
            "resourceSettingMode": "BASIC",
            "basicResourceSetting": {"parallelism": 2, "taskmanagerResourceSettingSpec": {"cpu": 1, "memory": "4 GiB"}},
        },
        localVariables=[{"name": "x", "value": "1"}],
    )
    made = api.call("CreateDeployment", sent)["data"]
    assert {name: made[name] for name in sent} == sent
    assert made["createdAt"] == made["modifiedAt"] == str(int(clock.now))
    assert made["creator"] == api.key.id
    assert (made["workspace"], made["namespace"]) == (api.workspace, api.namespace)
    assert made["deploymentTarget"] == {"mode": "PER_JOB", "name": "default-queue"}
    assert made["engineVersion"] == api.services.settings.engine
    assert made["deploymentHasChanged"] is False
    assert set(made["jobSummary"].values()) == {0}
    assert api.call("GetDeployment", deploymentId=made["deploymentId"])["data"] == made


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"nmae": "x"}, "InvalidParameter", "nmae: unknown field; did you mean name"),
        ({"name": "a b"}, "InvalidParameter", "name: expected"),
        ({"executionMode": "SOMETIMES"}, "InvalidParameter", "executionMode: expected one of STREAMING, BATCH"),
        ({"executionMode": None}, "InvalidParameter", "executionMode: is required"),
        (
            {"artifact": {"kind": "PYTHON"}},
            "InvalidParameter",
            "artifact.kind: expected SQLSCRIPT or JAR, got 'PYTHON'",
        ),
        ({"artifact": {"kind": "SQLSCRIPT"}}, "InvalidParameter", "artifact.sqlArtifact.sqlScript: expected a script"),
        (
            {"artifact": {"sqlArtifact": {"sqlScript": 1}}},
            "InvalidParameter",
            "artifact.sqlArtifact.sqlScript: expected a string, got a whole number",
        ),
        ({"engineVersion": "vvr-1"}, "InvalidParameter", "engineVersion: expected vvr-flinkform"),
        ({"deploymentTarget": {"name": "big"}}, "InvalidParameter", "deploymentTarget.name: expected default-queue"),
        ({"deploymentTarget": {"mode": "SESSION"}}, "InvalidParameter", "deploymentTarget.name: there is no"),
        ({"deploymentTarget": {"mode": "ALONE"}}, "InvalidParameter", "deploymentTarget.mode: expected PER_JOB"),
        ({"flinkConf": {"a": ["b"]}}, "InvalidParameter", "flinkConf.a: expected text"),
        ({"labels": {"savepoints.age": "soon"}}, "InvalidParameter", "labels.savepoints.age: expected a duration"),
        ({"flinkConf": "a: b"}, "InvalidParameter", "flinkConf: expected an object, got a string"),
        (
            {"logging": {"log4jLoggers": [{"loggerName": "root", "loggerLevel": "LOUD"}]}},
            "InvalidParameter",
            "logging.log4jLoggers[0].loggerLevel: expected one of",
        ),
        (
            {"streamingResourceSetting": {"basicResourceSetting": {"parallelism": 0}}},
            "InvalidParameter",
            "streamingResourceSetting.basicResourceSetting.parallelism: expected",
        ),
    ],
)
def test_bad_deployment_is_refused_by_path(api: Api, change: dict[str, Any], code: str, said: str) -> None:
    """A body that breaks a rule is refused with the place, before anything is made."""
    found, message = api.fails("CreateDeployment", deployment(**change))
    assert found == code
    assert said in message
    assert api.call("ListDeployments")["totalSize"] == 0


def test_name_is_unique_in_a_namespace(api: Api) -> None:
    """A second deployment of the same name is a conflict, under create and under rename."""
    api.make("one")
    other = api.make("two")
    assert api.fails("CreateDeployment", deployment("one"))[0] == "OperationConflict"
    assert api.fails("UpdateDeployment", {"name": "one"}, deploymentId=other)[0] == "OperationConflict"


def test_list_pages_and_filters(api: Api, clock: Clock) -> None:
    """ListDeployments is newest first, ten at a time by default, and every filter filters."""
    ids = []
    for number in range(12):
        clock.now += 1
        labels = {"odd": str(number % 2), "n": str(number)}
        ids.append(api.make(f"job-{number:02}", labels=labels, executionMode="BATCH" if number == 3 else "STREAMING"))
    api.started(ids[5])

    def names(**wanted: Any) -> list[str]:
        return [one["name"] for one in api.call("ListDeployments", **wanted)["data"]]

    first = api.call("ListDeployments")
    assert (first["pageIndex"], first["pageSize"], first["totalSize"], len(first["data"])) == (1, 10, 12, 10)
    assert first["data"][0]["name"] == "job-11"
    assert names(pageIndex=2) == ["job-01", "job-00"]
    assert names(pageIndex=3) == []
    assert len(names(pageSize=100)) == 12
    assert names(name="B-0", pageSize=1) == ["job-09"]
    assert names(executionMode="BATCH") == ["job-03"]
    assert names(status="RUNNING") == ["job-05"]
    assert names(labelKey="n", labelValueArray="1;2") == ["job-02", "job-01"]
    assert names(labelKey="missing") == []
    assert names(creator="somebody") == []
    clock.now += 1
    api.call("UpdateDeployment", {"description": "x"}, deploymentId=ids[0])
    assert names(sortName="gmt_modified")[0] == "job-00"


@pytest.mark.parametrize(
    "wanted", [{"pageSize": 101}, {"pageSize": 0}, {"pageIndex": 0}, {"pageIndex": -1}, {"status": "UP"}]
)
def test_bad_page_or_filter_is_refused(api: Api, wanted: dict[str, Any]) -> None:
    """A page that cannot be, or a state that is none, is refused instead of being answered with something else."""
    code, message = api.fails("ListDeployments", **wanted)
    assert code == "InvalidParameter"
    assert next(iter(wanted)) in message


def test_update_changes_only_what_is_sent(api: Api) -> None:
    """Models are merged, maps replaced, null clears, and `[]` for a list of models means unset."""
    made = api.make(
        flinkConf={"a": "1", "b": "2"},
        labels={"x": "y"},
        description="old",
        localVariables=[{"name": "v", "value": "1"}],
        logging={"loggingProfile": "default", "log4jLoggers": [{"loggerName": "root", "loggerLevel": "INFO"}]},
        streamingResourceSetting={"resourceSettingMode": "BASIC", "basicResourceSetting": {"parallelism": 1}},
    )

    def update(**change: Any) -> dict[str, Any]:
        answer: dict[str, Any] = api.call("UpdateDeployment", change, deploymentId=made)["data"]
        return answer

    done = update(
        flinkConf={"a": "3"},
        streamingResourceSetting={"basicResourceSetting": {"parallelism": 4}},
        localVariables=[],
        logging={"loggingProfile": "other", "log4jLoggers": []},
    )
    assert done["flinkConf"] == {"a": "3"}
    assert done["streamingResourceSetting"] == {
        "resourceSettingMode": "BASIC",
        "basicResourceSetting": {"parallelism": 4},
    }
    assert done["localVariables"] == [{"name": "v", "value": "1"}]
    assert done["logging"]["loggingProfile"] == "other"
    assert done["logging"]["log4jLoggers"] == [{"loggerName": "root", "loggerLevel": "INFO"}]
    assert (done["labels"], done["description"], done["name"]) == ({"x": "y"}, "old", "bids")

    cleared = update(labels={}, description=None, localVariables=None, logging={"log4jLoggers": []}, name="new-name")
    assert cleared["labels"] == {}
    assert cleared["logging"] == {"loggingProfile": "other", "log4jLoggers": []}
    assert "description" not in cleared
    assert "localVariables" not in cleared
    assert cleared["name"] == "new-name"


def test_fields_of_the_control_plane_are_ignored_in_an_update(api: Api) -> None:
    """Sending back a whole deployment as it was read changes nothing."""
    made = api.make()
    read = api.call("GetDeployment", deploymentId=made)["data"]
    assert api.call("UpdateDeployment", read, deploymentId=made)["data"] == read


def test_bad_update_leaves_the_deployment_alone(api: Api) -> None:
    """A change that a new deployment could not be made with is refused whole."""
    made = api.make()
    before = api.call("GetDeployment", deploymentId=made)["data"]
    code, message = api.fails(
        "UpdateDeployment", {"description": "x", "artifact": {"kind": "PYTHON"}}, deploymentId=made
    )
    assert (code, message.partition(":")[0]) == ("InvalidParameter", "artifact.kind")
    assert api.fails("UpdateDeployment", {"executionMode": "BATCH"}, deploymentId=made)[0] == "OperationConflict"
    assert api.call("GetDeployment", deploymentId=made)["data"] == before


def test_a_running_job_is_outdated_by_a_changed_definition_alone(api: Api) -> None:
    """DeploymentHasChanged tells a new script, not a new description, and not a script that was put back."""
    made = api.make()
    api.started(made)
    described = api.call("UpdateDeployment", {"description": "x"}, deploymentId=made)["data"]
    assert described["deploymentHasChanged"] is False
    assert described["jobSummary"]["running"] == 1
    edited = {"artifact": {"sqlArtifact": {"sqlScript": "INSERT INTO c SELECT 1"}}}
    before = api.call("GetDeployment", deploymentId=made)["data"]["artifact"]
    assert api.call("UpdateDeployment", edited, deploymentId=made)["data"]["deploymentHasChanged"] is True
    back = api.call("UpdateDeployment", {"artifact": before}, deploymentId=made)["data"]
    assert back["deploymentHasChanged"] is False


def test_by_name_is_exact(api: Api) -> None:
    """GetDeploymentsByName answers with a list of the one whose name it is, less what is to be ignored."""
    api.make("bids", streamingResourceSetting={"resourceSettingMode": "BASIC"})
    api.make("bids-2")
    found = api.call("GetDeploymentsByName", deploymentName="bids")["data"]
    assert [one["name"] for one in found] == ["bids"]
    assert api.call("GetDeploymentsByName", deploymentName="bid")["data"] == []
    less = api.call("GetDeploymentsByName", deploymentName="bids", ignoreJobSummary=True, ignoreResourceSetting=True)
    assert not {"jobSummary", "streamingResourceSetting"} & set(less["data"][0])


def test_delete_waits_for_the_end_of_the_job(api: Api) -> None:
    """A deployment with a job that has not ended stays; then it goes, with its jobs."""
    made = api.make()
    run = api.started(made)
    code, message = api.fails("DeleteDeployment", deploymentId=made)
    assert code == "OperationConflict"
    assert "RUNNING" in message
    api.run_is(run, "CANCELLED", ended_at=api.now)
    assert "data" not in api.call("DeleteDeployment", deploymentId=made)
    assert api.fails("GetDeployment", deploymentId=made)[0] == "990301"
    assert api.fails("GetJob", jobId=run)[0] == "990301"


def test_nothing_is_made_in_a_namespace_on_its_way_out(api: Api) -> None:
    """A namespace that is being deleted takes no more deployments."""
    api.call("DeleteNamespace", Namespace="main-default")
    assert api.fails("CreateDeployment", deployment())[0] == "OperationConflict"
