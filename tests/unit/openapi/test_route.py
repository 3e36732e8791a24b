"""Requests find their operation by method and undecoded path."""

from __future__ import annotations

import pytest

from flinkform.errors import Refused
from flinkform.openapi.route import match

NS = "/api/v2/namespaces/default"


@pytest.mark.parametrize(
    ("method", "path", "name", "params"),
    [
        ("GET", "/deployments/d-1", "GetDeployment", {"deploymentId": "d-1"}),
        ("GET", "/deployments/name/my%20job", "GetDeploymentsByName", {"deploymentName": "my job"}),
        ("GET", "/deployments/name", "GetDeployment", {"deploymentId": "name"}),
        ("GET", "/deployments/getDeployments/byLabel", "GetDeploymentsByLabel", {}),
        ("PUT", "/deployments/updateDeployment/byName", "UpdateDeploymentByName", {}),
        ("GET", "/jobs/hot-updates/h-1", "GetHotUpdateJobResult", {"jobHotUpdateId": "h-1"}),
        ("POST", "/jobs/j-1%3Astop", "StopJob", {"jobId": "j-1"}),
        ("POST", "/jobs/j-1%3astop", "StopJob", {"jobId": "j-1"}),
        ("POST", "/jobs/j-1:stop", "StopJob", {"jobId": "j-1"}),
        ("POST", "/jobs/a%3Ab:stop", "StopJob", {"jobId": "a:b"}),
        ("POST", "/jobs/j-1:hotUpdate", "HotUpdateJob", {"jobId": "j-1"}),
        ("POST", "/jobs:start", "StartJobWithParams", {}),
        ("POST", "/jobs%3Astart", "StartJobWithParams", {}),
        ("GET", "/jobs/j-1:stop", "GetJob", {"jobId": "j-1:stop"}),
        ("DELETE", "/sessionclusters/a%2Fb", "DeleteSessionCluster", {"sessionClusterName": "a/b"}),
        ("POST", "/connectors:register", "RegisterCustomConnector", {}),
        ("PUT", "/deployment-targets/support-elastic/q", "UpdateDeploymentTargetV2", {"deploymentTargetName": "q"}),
        (
            "PUT",
            "/deployment-targets/support-elastic",
            "UpdateDeploymentTarget",
            {"deploymentTargetName": "support-elastic"},
        ),
    ],
)
def test_paths(method: str, path: str, name: str, params: dict[str, str]) -> None:
    """Static segments before parameters, verbs after `:` in either spelling, each segment decoded once."""
    found, given = match(method, NS + path)
    assert (found.name, given) == (name, {"namespace": "default"} | params)


def test_console() -> None:
    """Operations without a path go by name, with GET and POST alike; elsewhere the name is not looked at."""
    assert match("POST", "/", action="CreateInstance")[0].name == "CreateInstance"
    assert match("POST", "/", action="DescribeInstances")[0].name == "DescribeInstances"
    assert match("GET", f"{NS}/jobs/j", action="DeleteJob")[0].name == "GetJob"


@pytest.mark.parametrize(
    ("method", "path", "action", "code", "status"),
    [
        ("GET", "/", "Nope", "InvalidAction.NotFound", 404),
        ("GET", "/", "GetJob", "InvalidAction.NotFound", 404),
        ("GET", "/", "", "InvalidAction.NotFound", 404),
        ("DELETE", "/", "CreateInstance", "UnsupportedHTTPMethod", 405),
        ("GET", "/api/v2/nope", "", "InvalidAction.NotFound", 404),
        ("GET", "/api/v2/namespaces//jobs/j", "", "InvalidAction.NotFound", 404),
        ("POST", f"{NS}/jobs/:stop", "", "UnsupportedHTTPMethod", 405),
        ("GET", "/" * 100_000, "", "InvalidAction.NotFound", 404),
        ("TRACE", f"{NS}/jobs/j", "", "UnsupportedHTTPMethod", 405),
    ],
)
def test_nothing_there(method: str, path: str, action: str, code: str, status: int) -> None:
    """What is no operation is refused as the API's gateway refuses it."""
    with pytest.raises(Refused) as caught:
        match(method, path, action=action)
    assert (caught.value.code, caught.value.status) == (code, status)
