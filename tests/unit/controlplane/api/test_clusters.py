"""Session clusters over the API: what is refused in each state, and what may be asked of one."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.controlplane.store import clusters
from tests.unit.controlplane.api.world import Api

BASIC = {"parallelism": 4, "taskmanagerResourceSettingSpec": {"cpu": 1.0, "memory": "2 GiB"}}


def make(api: Api, name: str = "shared", **fields: Any) -> dict[str, Any]:
    """Make a session cluster and return it."""
    body = {"name": name, "deploymentTargetName": "default-queue", "basicResourceSetting": BASIC, **fields}
    found: dict[str, Any] = api.call("CreateSessionCluster", body)["data"]
    return found


def become(api: Api, state: str, name: str = "shared") -> None:
    """Let a cluster be in a state, as the reconciler would."""
    with api.store.write() as db:
        found = clusters.get(db, api.workspace, api.namespace, name)
        assert clusters.change(db, found, {"state": state})


def state(api: Api, name: str = "shared") -> str:
    found = api.call("GetSessionCluster", sessionClusterName=name)["data"]
    return str(found["status"]["currentSessionClusterStatus"])


def test_made_at_rest(api: Api) -> None:
    """A cluster is made stopped, with the default engine; another of its name is refused."""
    made = make(api)
    assert made["status"] == {"currentSessionClusterStatus": "STOPPED"}
    assert made["engineVersion"] == api.services.settings.engine
    again = {"name": "shared", "deploymentTargetName": "default-queue"}
    assert api.fails("CreateSessionCluster", again)[0] == "OperationConflict"


@pytest.mark.parametrize(
    ("operation", "allowed"),
    [
        ("StartSessionCluster", {"STOPPED": "STARTING", "FAILED": "STARTING"}),
        ("StopSessionCluster", {"STARTING": "STOPPING", "RUNNING": "STOPPING", "FAILED": "STOPPING"}),
        ("UpdateSessionCluster", {"STOPPED": "STOPPED", "FAILED": "FAILED", "RUNNING": "UPDATING"}),
        ("DeleteSessionCluster", {"STOPPED": "", "FAILED": ""}),
    ],
)
def test_each_state(api: Api, operation: str, allowed: dict[str, str]) -> None:
    """In each state what makes sense is taken and written down before anything is done; the rest is refused."""
    other = {"basicResourceSetting": {**BASIC, "parallelism": 5}}
    body = other if operation == "UpdateSessionCluster" else None
    for before in ("STOPPED", "STARTING", "RUNNING", "UPDATING", "STOPPING", "FAILED"):
        make(api)
        become(api, before)
        if before in allowed:
            api.call(operation, body, sessionClusterName="shared")
            after = allowed[before]
            assert not after or state(api) == after
        else:
            code, said = api.fails(operation, body, sessionClusterName="shared")
            assert code == "OperationConflict"
            assert said.startswith("expected session cluster shared ")
            assert f"got {before}" in said
            assert state(api) == before
        if state_is_kept(api):
            become(api, "STOPPED")
            api.call("DeleteSessionCluster", sessionClusterName="shared")


def state_is_kept(api: Api) -> bool:
    """Say whether the cluster is still there."""
    return bool(api.call("ListSessionClusters")["data"])


def test_logging(api: Api) -> None:
    """Log levels are kept, changed while the cluster runs, and cleared; a level that there is not is refused."""
    warn = {"log4jLoggers": [{"loggerName": "root", "loggerLevel": "WARN"}]}
    assert make(api, logging=warn)["logging"] == warn
    become(api, "RUNNING")
    changed = api.call("UpdateSessionCluster", {"logging": {"log4jLoggers": []}}, sessionClusterName="shared")["data"]
    assert "logging" not in changed
    assert state(api) == "RUNNING"
    for wrong in ({"loggerName": "root", "loggerLevel": "LOUD"}, {"loggerName": "root"}, {"loggerLevel": "WARN"}):
        body = {"logging": {"log4jLoggers": [wrong]}}
        assert api.fails("UpdateSessionCluster", body, sessionClusterName="shared")[0] == "InvalidParameter"


def test_labels_need_no_restart(api: Api) -> None:
    """What no JVM knows of changes under a cluster that runs."""
    make(api)
    become(api, "RUNNING")
    api.call("UpdateSessionCluster", {"labels": {"team": "a"}}, sessionClusterName="shared")
    assert state(api) == "RUNNING"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"flinkConf": {"rest.port": "80"}}, "flinkConf.rest.port: is the control plane's to set"),
        ({"engineVersion": "vvr-x"}, "engineVersion: expected vvr-flinkform-flink-2.3, got 'vvr-x'"),
        ({"deploymentTargetName": "huge"}, "deploymentTargetName: expected default-queue, got 'huge'"),
        ({"basicResourceSetting": {"parallelism": 0}}, "basicResourceSetting.parallelism: expected a whole number"),
    ],
)
def test_bad_input(api: Api, fields: dict[str, Any], said: str) -> None:
    """What no JVM can be made of is refused by name, and nothing is made."""
    body = {"name": "shared", "deploymentTargetName": "default-queue", **fields}
    code, message = api.fails("CreateSessionCluster", body)
    assert code == "InvalidParameter"
    assert message.startswith(said)
    assert not state_is_kept(api)


def test_jobs_on_it(api: Api) -> None:
    """A deployment names a cluster that is there, starts where it runs, and holds it."""
    there = {"deploymentTarget": {"mode": "SESSION", "name": "shared"}}
    body = api.call("GetDeployment", deploymentId=api.make(name="model"))["data"] | there
    assert api.fails("CreateDeployment", {**body, "name": "early"})[0] == "InvalidParameter"
    make(api)
    deployment = api.make(name="sharing", **there)
    start = {"deploymentId": deployment}
    told = "expected session cluster shared RUNNING, got STOPPED; start it first"
    assert api.fails("StartJob", start) == ("OperationConflict", told)
    become(api, "RUNNING")
    job = api.call("StartJob", start)["data"]
    assert job["sessionClusterName"] == "shared"
    code, said = api.fails("StopSessionCluster", sessionClusterName="shared")
    assert (code, said.partition(";")[0]) == ("OperationConflict", "session cluster shared runs sharing")
    become(api, "STOPPED")
    code, said = api.fails("DeleteSessionCluster", sessionClusterName="shared")
    assert said == "session cluster shared is where sharing run; give them another target first"


def test_own_jvm_in_it(api: Api) -> None:
    """A job of a session cluster cannot ask for a JVM of its own."""
    make(api)
    made = api.make(name="sharing", deploymentTarget={"mode": "SESSION", "name": "shared"})
    own = {"flinkConf": {"flinkform.isolation": "own"}}
    _, said = api.fails("UpdateDeployment", own, deploymentId=made)
    assert "the session cluster shared gives no job a JVM of its own" in said


def test_namespace_holds_it(api: Api) -> None:
    """A namespace is not deleted under a cluster that runs."""
    make(api)
    become(api, "RUNNING")
    code, said = api.fails("DeleteNamespace", Namespace="main-default")
    assert (code, said) == (
        "OperationConflict",
        "namespace main-default still runs session cluster shared; stop it first",
    )
    become(api, "STOPPED")
    api.call("DeleteNamespace", Namespace="main-default")
