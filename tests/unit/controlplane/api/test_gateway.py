"""The gateway: who may ask, what is turned away before any operation sees it, and how errors go out."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

import pytest

from flinkform.controlplane.api.call import Services
from flinkform.controlplane.api.handlers import HANDLERS
from flinkform.controlplane.app import build
from flinkform.controlplane.store import deployments, events
from flinkform.openapi import ours, signature
from flinkform.openapi.models import model
from flinkform.openapi.operation import names, operation
from flinkform.openapi.request import FORM, Request
from tests.unit.controlplane.api.world import HOST, REGION, Api, Client, Clock, Flink, deployment

PLANTED = "pl4nted-s3cret"


def test_every_answer_is_an_operation_of_the_api() -> None:
    """No handler is registered under a name that no request can carry."""
    assert set(HANDLERS) <= {*names(), *ours.OPERATIONS}


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"key": signature.Key("FF", "x")}, 404, "InvalidAccessKeyId.NotFound"),
        ({"now": 1_790_000_000.0 - 1000}, 400, "InvalidTimeStamp.Expired"),
        ({"now": 1_790_000_000.0 + 1000}, 400, "InvalidTimeStamp.Expired"),
        ({"target": "/?Region=eu-central-1"}, 400, "SignatureDoesNotMatch"),
        ({"content": b"x"}, 400, "SignatureDoesNotMatch"),
        ({"headers": {"authorization": ""}}, 400, "IncompleteSignature"),
        ({"headers": {"authorization": "Basic eDp5"}}, 400, "IncompleteSignature"),
        ({"headers": {"x-acs-content-sha256": hashlib.sha256(b"x").hexdigest()}}, 400, "SignatureDoesNotMatch"),
    ],
)
def test_spoiled_signature_is_refused(empty: Api, changed: dict[str, Any], status: int, code: str) -> None:
    """Any part of a request that was changed after signing, or is too old, is refused as the public gateway does."""
    assert empty.send("DescribeInstances", {"Region": REGION})[0] == 200
    found, answer = empty.send("DescribeInstances", {"Region": REGION}, **changed)
    assert (found, answer["Code"]) == (status, code)
    assert answer["HostId"] == HOST


def test_wrong_secret_is_refused(empty: Api) -> None:
    """The right key id with a wrong secret gets nothing."""
    wrong = signature.Key(empty.key.id, "wrong")
    assert empty.send("DescribeInstances", {"Region": REGION}, key=wrong)[1]["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize(("name", "body"), [("DescribeInstances", None), ("CreateDeployment", deployment())])
def test_replayed_request_is_refused(api: Api, name: str, body: Any) -> None:
    """A recorded request does nothing the second time, read or write."""
    params = api.filled(name, {})
    assert api.send(name, params, body, nonce="once")[0] == 200
    assert api.send(name, params, body, nonce="once")[1]["Code"] == "SignatureNonceUsed"


def test_replayed_change_is_refused_after_a_restart(api: Api, services: Services) -> None:
    """What changes something is remembered beyond the process."""
    params = api.filled("CreateDeployment", {})
    assert api.send("CreateDeployment", params, deployment(), nonce="once")[0] == 200
    client = Client(build(services))
    again = Api(services, client, api.key)
    assert again.send("CreateDeployment", params, deployment("other"), nonce="once")[1]["Code"] == "SignatureNonceUsed"
    client.close()


def test_replayed_refusal_is_refused_after_a_restart(api: Api, services: Services) -> None:
    """What could not be done when it was asked for is not done later, because somebody sends it again."""
    made = api.make("bids")
    params = api.filled("UpdateDeployment", {"deploymentId": made})
    other = {"name": "asks"}
    taken = api.make("asks")
    assert api.send("UpdateDeployment", params, other, nonce="once")[1]["errorCode"] == "OperationConflict"
    api.call("DeleteDeployment", deploymentId=taken)
    client = Client(build(services))
    again = Api(services, client, api.key)
    assert again.send("UpdateDeployment", params, other, nonce="once")[1]["Code"] == "SignatureNonceUsed"
    client.close()


def test_nonces_are_forgotten_with_the_dates_that_carried_them(empty: Api, clock: Clock) -> None:
    """A nonce may come again when its first request is too old to be sent again."""
    assert empty.send("DescribeInstances", {"Region": REGION}, nonce="once")[0] == 200
    clock.now += 3 * signature.SKEW
    assert empty.send("DescribeInstances", {"Region": REGION}, nonce="once")[0] == 200


def test_unknown_path_and_method(empty: Api) -> None:
    """What is no operation is said to be none, once the caller is known."""
    unknown = operation("GetEvents")
    params = {"workspace": "w", "namespace": "n"}
    assert empty.send(unknown.name, params, target="/api/v3/x")[1]["Code"] == "SignatureDoesNotMatch"
    answer = empty.client.request("GET", "/api/v3/x")
    assert (answer.status_code, answer.json()["Code"]) == (400, "IncompleteSignature")


def test_operation_that_is_not_answered_is_named(api: Api) -> None:
    """An operation of the API that is not built yet is refused by name, not as unknown."""
    code, message = api.fails("GetTables", catalogName="c", databaseName="d")
    assert code == "InvalidAction.NotSupported"
    assert "GetTables" in message


def test_missing_parameters_are_named(api: Api) -> None:
    """A request without the workspace header or a required parameter says which it lacks."""
    headers = signature.sign(
        _bare("/api/v2/namespaces/n/deployments"), api.key, host=HOST, now=api.services.clock(), nonce="n1"
    )
    answer = api.client.request("GET", "/api/v2/namespaces/n/deployments", headers=headers)
    assert (answer.status_code, answer.json()["Code"]) == (400, "MissingParameter")
    assert "workspace" in answer.json()["Message"]


@pytest.mark.parametrize("name", sorted(name for name in HANDLERS if not operation(name).rpc))
def test_workspace_and_namespace_must_exist(api: Api, name: str) -> None:
    """Every operation below a namespace says which of workspace and namespace is not there."""
    params = {field.name: "x" for field in operation(name).fields.values() if field.required and field.type == "str"}
    params |= {"workspace": api.workspace} | ({"resourceType": "jobs"} if "resourceType" in params else {})
    body = _BODIES.get(name, _least(name)) if operation(name).body else None
    if "namespace" in params:
        assert api.send(name, {**params, "namespace": "nope"}, body)[1]["errorMessage"].startswith("no namespace nope")
    code, message = api.fails(name, body, **{**params, "workspace": "f-cn-1"})
    assert code == "990301"
    assert message.startswith("no workspace f-cn-1")


def _least(name: str) -> dict[str, Any]:
    """Return a body of what its model requires."""
    fields = model(operation(name).product, operation(name).body) or {}
    return {one.name: "x" if one.type == "str" else {} for one in fields.values() if one.required}


_BODIES: dict[str, Any] = {
    "CreateDeployment": deployment(),
    "CreateSavepoint": {"deploymentId": "x"},
    "DeployDeploymentDraftAsync": {"deploymentDraftId": "x"},
    "StartJob": {"deploymentId": "x"},
    "StartJobWithParams": {"deploymentId": "x"},
    "StopJob": {"stopStrategy": "NONE"},
    "ValidateDeploymentDraftAsync": {"deploymentDraftId": "x"},
    "ValidateSqlStatement": {"statement": "SELECT 1", "batchMode": False},
}


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"name":' * 100_000])
def test_body_must_be_an_object(api: Api, content: bytes) -> None:
    """A body that is missing, no object or no JSON is refused as such."""
    built = _bare(f"/api/v2/namespaces/{api.namespace}/deployments", method="POST", body=content, at=api.workspace)
    headers = signature.sign(built, api.key, host=HOST, now=api.services.clock(), nonce="n")
    answer = api.client.request("POST", built.path, headers=headers, content=content)
    assert answer.status_code == 400
    assert answer.json()["Code"] in ("MissingParameter", "InvalidParameter")


def test_long_body_is_not_read(api: Api) -> None:
    """A body beyond the limit is refused before it is looked at."""
    script = "x" * api.services.settings.body_limit
    body = deployment(artifact={"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": script}})
    status, answer = api.send("CreateDeployment", api.filled("CreateDeployment", {}), body)
    assert (status, answer["Code"]) == (413, "RequestEntityTooLarge")


def test_action_of_old_clients(empty: Api) -> None:
    """A console operation is found by its Action parameter where no header names it."""
    built = _bare("/", method="POST", body=b"Action=DescribeInstances&Region=cn-hangzhou")
    built.headers["content-type"] = FORM
    headers = signature.sign(built, empty.key, host=HOST, now=empty.services.clock(), nonce="n")
    answer = empty.client.request("POST", "/", headers=headers, content=built.body)
    assert answer.json()["Instances"] == []


def test_a_bug_says_nothing_of_itself(api: Api, flink: Flink, caplog: pytest.LogCaptureFixture) -> None:
    """What escapes a handler is InternalError with the id under which the log has it."""
    flink.validate = lambda *_args, **_options: 1 / 0  # type: ignore[method-assign,assignment]
    params = api.filled("ValidateSqlStatement", {})
    with caplog.at_level(logging.ERROR):
        status, answer = api.send("ValidateSqlStatement", params, _BODIES["ValidateSqlStatement"])
    assert (status, answer["Code"]) == (500, "InternalError")
    assert "division" not in answer["Message"]
    assert answer["RequestId"] in answer["Message"]
    assert [one.request_id for one in caplog.records if one.exc_info] == [answer["RequestId"]]  # type: ignore[attr-defined]


def test_every_change_is_an_event(api: Api) -> None:
    """Whoever changes something is told of, with the request's id."""
    made = api.make()
    told = api.call("GetEvents", deploymentId=made)["data"]
    assert [one["eventName"] for one in told] == ["DEPLOYMENT_CREATED"]
    assert api.key.id in told[0]["message"]
    assert "(request " in told[0]["message"]


def test_secrets_stay_where_they_are(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    """A password in a script, an option or a variable is in no log line, event or error text."""
    script = f"CREATE TABLE t (a INT) WITH ('connector' = 'jdbc', 'password' = '{PLANTED}')"
    with caplog.at_level(logging.DEBUG):
        made = api.make(
            artifact={"kind": "SQLSCRIPT", "sqlArtifact": {"sqlScript": script}},
            flinkConf={"s3.secret-key": PLANTED},
            localVariables=[{"name": "v", "value": PLANTED}],
        )
        run = api.started(made)
        api.call("StopJob", {"stopStrategy": "NONE"}, jobId=run)
        refused = [
            api.fails("CreateDeployment", deployment(localVariables=PLANTED)),
            api.fails("CreateDeployment", deployment(flinkConf={"k": [PLANTED]})),
            api.fails("CreateDeployment", deployment(artifact={"kind": "SQLSCRIPT", "sqlArtifact": PLANTED})),
        ]
    assert PLANTED not in str(refused)
    assert PLANTED not in "\n".join(str(vars(one)) for one in caplog.records)
    assert api.key.secret not in "\n".join(str(vars(one)) for one in caplog.records)
    with api.store.read() as db:
        assert PLANTED not in str(events.page(db, api.workspace, api.namespace, limit=100).items)
        assert PLANTED in json.dumps(deployments.get(db, api.workspace, api.namespace, made).document)


def _bare(path: str, *, method: str = "GET", body: bytes = b"", at: str = "") -> Any:
    """Return an unsigned request that no operation's rules were applied to."""
    return Request(method=method, path=path, query={}, headers={"workspace": at} if at else {}, body=body)
