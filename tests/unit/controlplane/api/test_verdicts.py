"""GetStateVerdict as a client sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flinkform.controlplane.api.call import Services
from flinkform.controlplane.app import build
from flinkform.controlplane.reconcile.absent import Absent
from flinkform.errors import Invalid, Position, Unavailable
from flinkform.flink.plan import Plan
from tests.unit.controlplane.api.world import Api, Client, Flink
from tests.unit.controlplane.reconcile.conftest import PLANS, artifact


@pytest.fixture
def running(api: Api, flink: Flink) -> str:
    """The id of a deployment whose job runs from a compiled plan."""
    flink.plans |= {path.stem: Plan.load(path.read_text()) for path in PLANS.glob("*.json")}
    made = api.make(artifact=artifact("aggregate"))
    api.run_is(api.started(made), "RUNNING", plan=(PLANS / "aggregate.json").read_text())
    return made


def test_verdict(api: Api, running: str) -> None:
    """The answer names each operator, what becomes of it and why; the deployment stays as it was."""
    before = api.call("GetDeployment", deploymentId=running)["data"]
    told = api.call("GetStateVerdict", {"artifact": artifact("max")}, deploymentId=running)["data"]
    assert (told["verdict"], told["summary"]) == ("lost", "nothing of what the job computed is kept")
    dropped = next(one for one in told["operators"] if one["fate"] == "dropped")
    assert dropped["name"].startswith("aggregate: groupBy=[")
    assert dropped["why"] == "it computes something else"
    assert api.call("GetDeployment", deploymentId=running)["data"] == before
    same = api.call("GetStateVerdict", {"labels": {"a": "b"}}, deploymentId=running)["data"]
    assert same["verdict"] == "same"


def test_wrong_script(api: Api, running: str, flink: Flink) -> None:
    """A script that Flink cannot read is an error with its place."""
    flink.plans["SELEC"] = Invalid("unexpected SELEC", position=Position("bids", 3, 7))
    code, message = api.fails("GetStateVerdict", {"artifact": artifact("SELEC")}, deploymentId=running)
    assert (code, message) == ("InvalidParameter", "the script is not valid: line 3, column 7: unexpected SELEC")


def test_wrong_update(api: Api, running: str) -> None:
    """What an update would refuse is refused, and a deployment that is not there is not found."""
    assert api.fails("GetStateVerdict", {"engineVersion": "x"}, deploymentId=running)[0] == "InvalidParameter"
    assert api.fails("GetStateVerdict", {}, deploymentId="nowhere")[0] == "990301"


def test_silence(api: Api, running: str, flink: Flink) -> None:
    """While Flink does not answer, a client is told to ask again."""
    flink.plans["max"] = Unavailable("Flink is starting")
    code, _ = api.fails("GetStateVerdict", {"artifact": artifact("max")}, deploymentId=running)
    assert code == "ServiceUnavailable"


def test_without_java(api: Api, running: str, services: Services) -> None:
    """A control plane without Java does not know, and says why."""
    lame = replace(services, runtime=Absent("Java was not found"))
    client = Client(build(lame))
    api.client, client = client, api.client
    told = api.call("GetStateVerdict", {"artifact": artifact("max")}, deploymentId=running)["data"]
    api.client, client = client, api.client
    client.close()
    assert told == {"verdict": "unknown", "summary": "Java was not found", "operators": []}
