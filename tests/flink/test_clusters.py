"""A session cluster on real Flink: a JVM of its own size, which its job outlives."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from tests.flink.plane import Plane, plane, wait

SCRIPT = """
CREATE TABLE numbers (n INT) WITH ('connector' = 'datagen', 'rows-per-second' = '10');
CREATE TABLE totals (total BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO totals SELECT COUNT(*) FROM numbers;
"""


def cluster(one: Plane) -> dict[str, Any]:
    found: dict[str, Any] = one.call("GetSessionCluster", {"sessionClusterName": "shared"})
    return found


def becomes(one: Plane, state: str) -> None:
    """Wait for the cluster to be in a state."""
    wait(lambda: cluster(one)["status"]["currentSessionClusterStatus"] == state, f"the cluster to be {state}")


def recovered(one: Plane, deployment: str) -> list[str]:
    """What was told of the job's recoveries."""
    found = one.client.pages("GetEvents", {"workspace": one.workspace, "namespace": "team", "deploymentId": deployment})
    return [str(event["message"]) for event in found if event["eventName"] == "JOB_RECOVERED"]


def slots(one: Plane, job: str) -> int:
    """The slots of the cluster that the job runs in, as Flink tells it."""
    asked = {"flinkApiPath": "/overview", "resourceType": "jobs", "resourceId": job}
    told = str(one.call("FlinkApiProxy", asked))
    return int(told.partition('"slots-total":')[2].partition(",")[0])


def test_life(java: Path, tmp_path: Path) -> None:
    """It starts, runs a job, becomes larger, is killed and comes back; the job goes on from a checkpoint each time."""
    assert java
    basic = {"parallelism": 2, "taskmanagerResourceSettingSpec": {"cpu": 1.0, "memory": "1Gi"}}
    options = {"execution.checkpointing.interval": "500 ms"}
    body = {
        "name": "shared",
        "deploymentTargetName": "default-queue",
        "basicResourceSetting": basic,
        "flinkConf": options,
    }
    name = {"sessionClusterName": "shared"}
    with plane(tmp_path / "home", FLINKFORM_HEAP="256m", FLINKFORM_SLOTS="2") as one:
        made = one.call("CreateSessionCluster", body=body)
        one.call("StartSessionCluster", name)
        becomes(one, "RUNNING")
        deployment = one.deploy("sharing", SCRIPT)
        one.update(deployment, deploymentTarget={"mode": "SESSION", "name": "shared"})
        job = one.start(deployment)
        assert one.until(job, "RUNNING") == "RUNNING", one.reason(job)
        assert slots(one, job) == 2
        done = tmp_path / "home" / "storage" / "checkpoints" / deployment
        wait(lambda: list(done.rglob("_metadata")), "a checkpoint")

        larger = {"basicResourceSetting": {**basic, "parallelism": 3}}
        one.call("UpdateSessionCluster", name, larger)
        wait(lambda: recovered(one, deployment), "the job in the larger cluster")
        becomes(one, "RUNNING")
        assert one.until(job, "RUNNING") == "RUNNING"
        assert slots(one, job) == 3

        home = tmp_path / "home" / "flink" / "seats" / f"cluster-{made['sessionClusterId']}"
        os.kill(int((home / "jvm.pid").read_text()), signal.SIGKILL)
        wait(lambda: len(recovered(one, deployment)) == 2, "the job after the kill")
        becomes(one, "RUNNING")
        assert one.until(job, "RUNNING") == "RUNNING"
        assert all("/chk-" in told for told in recovered(one, deployment)), recovered(one, deployment)

        one.stop(job)
        assert one.until(job) == "CANCELLED"
        one.call("StopSessionCluster", name)
        becomes(one, "STOPPED")
        assert not (home / "jvm.pid").exists()
