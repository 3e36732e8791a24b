"""Control planes as processes on one database: killed while they answer, and two of them on one PostgreSQL."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flinkform.client.api import Client
from flinkform.client.retry import Retry
from flinkform.errors import FlinkformError
from tests.contract.process import Process, running
from tests.contract.served import until
from tests.unit.controlplane.tables import Kind, Postgresql

SECRET = "hunter2"
BLOWS = 3 if os.environ.get("FLINKFORM_DATABASES") else 1


def instance(client: Client, name: str) -> str:
    """Ask for a workspace; its id."""
    made = client.call(
        "CreateInstance",
        {
            "InstanceName": name,
            "ChargeType": "POST",
            "VpcId": "vpc-1",
            "VSwitchIds": ["vsw-1"],
            "Storage": {"Oss": {"Bucket": "bucket"}},
            "ResourceSpec": {"Cpu": 10, "MemoryGB": 40},
        },
    )
    return str(made["OrderInfo"]["InstanceId"])


def instances(client: Client) -> dict[str, dict[str, Any]]:
    return {one["InstanceId"]: one for one in client.pages("DescribeInstances")}


def runs(client: Client, name: str) -> Callable[[], bool]:
    """Whether a workspace has been led to where it was to go."""
    return lambda: instances(client)[name]["ClusterStatus"] == "RUNNING"


def deployment(name: str) -> dict[str, Any]:
    script = {"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": "INSERT INTO b SELECT * FROM a"}}
    return {"name": name, "executionMode": "STREAMING", "artifact": script}


def test_two_take_turns(postgresql: Postgresql, tmp_path: Path) -> None:
    """Both answer; one leads; when it is killed the other one does; when that ends the first one does at once."""
    name = postgresql.make()
    environment = {
        "FLINKFORM_DATABASE_URL": postgresql.server.database(name, password=SECRET),
        "FLINKFORM_LEASE": "3",
        "FLINKFORM_LOG_LEVEL": "debug",
    }
    one, two = (Process(tmp_path / home, environment=environment) for home in ("one", "two"))
    with running(one), running(two):
        here, there = one.ready().client(), two.ready().client()
        first = instance(here, "first")
        until(runs(there, first), "the one that leads")
        one.end(signal.SIGKILL)
        second = instance(there, "second")
        until(runs(there, second), "the other one to take over")
        one.start().ready()
        here = one.client()
        assert set(instances(here)) == {first, second}
        assert two.end() == 0
        third = instance(here, "third")
        until(runs(here, third), "the first one to lead again")
    for process in (one, two):
        log = (process.home / "logs" / "controlplane.jsonl").read_text()
        assert "leading" in log
        assert SECRET not in log + process.out.read_text() + process.err.read_text()


def test_unreachable_database_is_said(postgresql: Postgresql, tmp_path: Path) -> None:
    """A database that is not there is named, without the secret; exit code 1."""
    url = postgresql.server.database("nowhere", password=SECRET)
    with running(Process(tmp_path / "home", environment={"FLINKFORM_DATABASE_URL": url})) as process:
        assert process.popen.wait(60) == 1
        said = process.err.read_text()
        assert "the database nowhere at 127.0.0.1 does not answer" in said
        assert "Traceback" not in said
        assert SECRET not in said


class Writer(threading.Thread):
    """Makes deployments one after the other, until nobody answers; remembers those that were answered."""

    def __init__(self, client: Client, place: dict[str, str], name: str) -> None:
        super().__init__()
        self.client, self.place, self.prefix = client, place, name
        self.answered: dict[str, str] = {}

    def run(self) -> None:
        for number in range(10_000):
            name = f"{self.prefix}-{number}"
            try:
                made = self.client.call("CreateDeployment", self.place, deployment(name))
                started = {"deploymentId": made["data"]["deploymentId"], "restoreStrategy": {"kind": "NONE"}}
                self.answered[name] = str(self.client.call("StartJob", self.place, started)["data"]["jobId"])
            except FlinkformError:
                return


@pytest.mark.both
def test_a_kill_loses_nothing_that_was_answered(kind: Kind, tmp_path: Path) -> None:
    """Killed in the midst of writing: every deployment and every start that was answered is there, once."""
    home = tmp_path / "home"
    process = Process(home, environment={"FLINKFORM_DATABASE_URL": kind.url(home)})
    with running(process):
        client = process.ready().client()
        main = instance(client, "main")
        until(runs(client, main), "the workspace")
        place = {"workspace": instances(client)[main]["ResourceId"], "namespace": "main-default"}
        answered: dict[str, str] = {}
        for blow in range(BLOWS):
            writers = [Writer(process.client(Retry(attempts=1)), place, f"w{blow}-{number}") for number in range(2)]
            for writer in writers:
                writer.start()
            until(lambda: all(len(one.answered) > 3 for one in writers), "some answers")  # noqa: B023
            process.end(signal.SIGKILL)
            for writer in writers:
                writer.join()
                answered |= writer.answered
            process.start().ready()
        client = process.client()
        found = {one["name"]: one["deploymentId"] for one in client.pages("ListDeployments", place)}
        assert answered.keys() <= found.keys()
        for name, job in answered.items():
            jobs = list(client.pages("ListJobs", {**place, "deploymentId": found[name]}))
            assert [one["jobId"] for one in jobs] == [job]
