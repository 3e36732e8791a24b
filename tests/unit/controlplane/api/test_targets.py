"""Deployment targets: jobs go to those that are declared, and nobody claims to know what is not seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flinkform.controlplane.api.call import Services
from flinkform.flink.session import Remote
from tests.unit.controlplane.api.test_hotupdates import running, setting
from tests.unit.controlplane.api.test_pages import get
from tests.unit.controlplane.api.world import Api, Flink


@pytest.fixture
def services(services: Services) -> Services:
    big = Remote(name="big", url="http://flink.example:8081", storage="s3://bucket/flink")
    return replace(services, settings=replace(services.settings, targets={"big": big}))


def test_declared(api: Api) -> None:
    """A deployment may name a target that is declared, keeps it, and may be moved; another is refused by name."""
    made = api.make(deploymentTarget={"mode": "PER_JOB", "name": "big"})
    assert api.call("GetDeployment", deploymentId=made)["data"]["deploymentTarget"]["name"] == "big"
    api.call("UpdateDeployment", {"deploymentTarget": {"name": "default-queue"}}, deploymentId=made)
    code, said = api.fails("UpdateDeployment", {"deploymentTarget": {"name": "huge"}}, deploymentId=made)
    assert (code, said) == ("InvalidParameter", "deploymentTarget.name: expected default-queue or big, got 'huge'")


def test_listed(api: Api) -> None:
    """The usual queue and the declared clusters are listed."""
    listed = api.call("ListDeploymentTargets")
    assert ([one["name"] for one in listed["data"]], listed["totalSize"]) == (["default-queue", "big"], 2)


def test_unknown(api: Api, flink: Flink) -> None:
    """While its cluster does not answer a running job stays RUNNING, is UNKNOWN to Flink, and the page says why."""
    _, job = running(api)
    flink.silent = "the session cluster big does not answer"
    status = api.call("GetJob", jobId=job)["data"]["status"]
    assert status == {"currentJobStatus": "RUNNING", "running": {"observedFlinkJobStatus": "UNKNOWN"}}
    line = get(api, "/flinkform/v1/status").json()["jobs"][0]
    assert (line["state"], line["trouble"]) == ("UNKNOWN", "the session cluster big does not answer")
    flink.silent = ""
    assert api.call("GetJob", jobId=job)["data"]["status"]["running"]["observedFlinkJobStatus"] == "RUNNING"


def test_cannot_change_hot(api: Api, flink: Flink) -> None:
    """Where the cluster's scheduler is not adaptive a hot update is refused, with what to do."""
    made, job = running(api)
    flink.adaptive = False
    api.call("UpdateDeployment", setting(3), deploymentId=made)
    code, said = api.fails("HotUpdateJob", jobId=job)
    assert code == "OperationConflict"
    assert "jobmanager.scheduler: adaptive" in said


@pytest.mark.parametrize("option", ["flinkform.isolation", "flinkform.heap"])
def test_no_jvm_of_its_own(api: Api, option: str) -> None:
    """A session cluster decides where its jobs run: who asks for more is told so, whichever of the two comes last."""
    there = {"deploymentTarget": {"mode": "PER_JOB", "name": "big"}}
    conf = {"flinkConf": {option: "own" if option.endswith("isolation") else "2g"}}
    for first, last in ((there, conf), (conf, there)):
        made = api.make(f"job-{next(iter(first))}", **first)
        code, said = api.fails("UpdateDeployment", last, deploymentId=made)
        assert code == "InvalidParameter"
        assert said.startswith(f"flinkConf.{option}: the session cluster big gives no job a JVM of its own")
    api.make("shared", **there, flinkConf={"flinkform.isolation": "shared"})
