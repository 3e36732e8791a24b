"""Who may ask for what: every operation refuses what is spoiled, replayed, stale or not allowed."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from flinkform.controlplane import keyring
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.app import build
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store import audit, keys, tokens
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.tables import keys as table
from flinkform.controlplane.store.tokens import Kind
from flinkform.openapi import signature
from flinkform.openapi.operation import Field, names, operation
from tests.unit.controlplane.api.world import Api, Client, Clock, Flink, deployment

Statements = list[dict[str, Any]]

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Api]:
    """A control plane for all tests that leave nothing behind."""
    home = tmp_path_factory.mktemp("shared") / "home"
    shutil.copytree(template, home)
    settings = Settings(home=home)
    store = Store.open(settings.database_url)
    services = Services(store=store, runtime=Flink(), settings=settings, clock=Clock())  # type: ignore[arg-type]
    client = Client(build(services))
    root = keyring.root(store, settings)
    yield Api(services, client, signature.Key(root.id, root.secret))
    client.close()
    store.close()


def key(api: Api, *statements: dict[str, Any]) -> signature.Key:
    """Return a new key with these statements as its policy."""
    made = keyring.create(api.store, api.services.settings, description="", policies=list(statements))
    return signature.Key(made.id, made.secret)


def filled(name: str) -> dict[str, Any]:
    """Return a value for everything that an operation must be sent."""
    return {one.name: _value(one) for one in operation(name).fields.values() if one.required}


def _value(one: Field) -> Any:
    if one.name == "namespace":
        return "team-a"
    if one.item:
        return [{"Key": "k"}] if one.flat and one.item != "str" else ["x"]
    return {"str": "x", "int": 1, "bool": True, "float": 1.0}.get(one.type, {})


@pytest.mark.parametrize("name", names())
def test_what_is_wrong_is_refused(shared: Api, name: str) -> None:
    """A wrong secret, a replay, a stale date and a changed byte of the body get nothing, whatever is asked for."""
    params, body = filled(name), {} if operation(name).body else None
    once = f"once-{name}"
    first = shared.send(name, params, body, nonce=once)[1]
    assert first.get("Code", "") not in ("SignatureDoesNotMatch", "SignatureNonceUsed", "Forbidden.RAM")
    now = shared.services.clock()
    spoiled: list[tuple[dict[str, Any], str]] = [
        ({"key": signature.Key(shared.key.id, "wrong")}, "SignatureDoesNotMatch"),
        ({"nonce": once}, "SignatureNonceUsed"),
        ({"now": now - 901}, "InvalidTimeStamp.Expired"),
        ({"now": now + 901}, "InvalidTimeStamp.Expired"),
        ({"content": b"x" if operation(name).method == "GET" else b"{} "}, "SignatureDoesNotMatch"),
    ]
    for changed, code in spoiled:
        status, answer = shared.send(name, params, body, **changed)
        assert (status, answer["Code"]) == (400, code)


@pytest.mark.parametrize("name", names())
def test_what_is_not_allowed_is_refused(shared: Api, name: str) -> None:
    """A key without the permission, or with a deny beside an allow of everything, is told which action lacks."""
    params, body = filled(name), {} if operation(name).body else None
    action = f"stream:{name}"
    allowed = {"Effect": "Allow", "Action": action, "Resource": "*"}
    others = {"Effect": "Allow", "Action": f"{action}x", "Resource": "*"}
    for limited, reason in (
        (key(shared), "ImplicitDeny"),
        (key(shared, others), "ImplicitDeny"),
        (key(shared, ALL, {**allowed, "Effect": "Deny"}), "ExplicitDeny"),
    ):
        status, answer = shared.send(name, params, body, key=limited)
        assert (status, answer["Code"]) == (403, "Forbidden.RAM")
        assert action in answer["Message"]
        assert answer["AccessDeniedDetail"]["AuthAction"] == action
        assert answer["AccessDeniedDetail"]["NoPermissionType"] == reason
    assert shared.send(name, params, body, key=key(shared, allowed))[1].get("Code") != "Forbidden.RAM"


def test_a_key_for_one_namespace(api: Api) -> None:
    """A policy may name the workspace by either of its ids, and the namespace; elsewhere nothing is allowed."""
    for workspace in (api.instance, api.workspace):
        place = f"acs:stream:*:1234:vvpinstance/{workspace}/vvpnamespace/{api.namespace}"
        api.key = key(api, {"Effect": "Allow", "Action": ["stream:List*", "stream:GetEvents"], "Resource": [place]})
        assert api.call("ListDeployments")["data"] == []
        assert api.fails_denied("ListDeployments", namespace="other") == "stream:ListDeployments"
        assert api.fails_denied("ListDeployments", workspace="other") == "stream:ListDeployments"
        assert api.fails_denied("CreateDeployment", deployment()) == "stream:CreateDeployment"
        assert api.fails_denied("DescribeInstances") == "stream:DescribeInstances"


def test_names_of_the_public_service(api: Api) -> None:
    """A policy written for the public service, with its names of the console's actions, means the same here."""
    vvp = ["stream:DescribeVvpInstances", "stream:DescribeVvpNamespaces", "stream:DeleteVvpNamespace"]
    place = ["acs:stream:*:*:vvpinstance/*", "acs:stream:*:*:vvpinstance/*/vvpnamespace/scratch"]
    api.key = key(api, {"Effect": "Allow", "Action": vvp, "Resource": place})
    assert api.call("DescribeInstances")["TotalCount"] == 1
    assert api.call("DescribeNamespaces")["TotalCount"] == 1
    assert api.fails("DeleteNamespace", Namespace="scratch")[0] == "EntityNotExist"
    assert api.fails_denied("CreateNamespace", Namespace="scratch") == "stream:CreateNamespace"


@pytest.mark.parametrize("name", ["{}", "user:{}"])
def test_roles_of_members(api: Api, name: str) -> None:
    """A key without policies may do in a namespace what its role there covers; a deny still wins."""
    root, made = api.key, api.make()
    member = key(api)
    start = {"deploymentId": made, "restoreStrategy": {"kind": "NONE"}}
    may = {"VIEWER": (True, False, False), "EDITOR": (True, True, False), "ADMIN": (True, True, True)}
    api.call("CreateMember", {"member": name.format(member.id), "role": "VIEWER"})
    for role, (looks, works, invites) in may.items():
        api.key = root
        api.call("UpdateMember", {"member": name.format(member.id), "role": role})
        asked = (("ListJobs", None, {"deploymentId": made}), ("StartJob", start, {}), ("CreateMember", {}, {}))
        said = [
            api.send(asks, api.filled(asks, params), body, key=member)[1].get("Code") != "Forbidden.RAM"
            for asks, body, params in asked
        ]
        assert said == [looks, works, invites], role
    api.key = member
    assert api.fails_denied("ListDeployments", namespace="other") == "stream:ListDeployments"
    assert api.fails_denied("DescribeInstances") == "stream:DescribeInstances"
    with api.store.write() as db:
        db.execute(update(table).where(table.c.id == member.id).values(policies=[{**ALL, "Effect": "Deny"}]))
    assert api.fails_denied("ListDeployments") == "stream:ListDeployments"


def test_a_deny_wins(api: Api) -> None:
    """What one statement denies no other gives back, whatever their order."""
    deny = {
        "Effect": "Deny",
        "Action": "stream:delete*",
        "Resource": "acs:stream:*:*:vvpinstance/*/vvpnamespace/main-*",
    }
    made = api.make()
    for statements in ([ALL, deny], [deny, ALL]):
        api.key = key(api, *statements)
        assert api.fails_denied("DeleteDeployment", deploymentId=made) == "stream:DeleteDeployment"
        assert api.call("GetDeployment", deploymentId=made)["data"]["name"] == "bids"


def test_temporary_keys(api: Api, clock: Clock) -> None:
    """An STS key does what its key may, within its own policy, with its token, until it ends or is removed."""
    root = api.key.id
    _, api.key = keyring.issue(api.store, api.services.settings, root, Kind.STS, seconds=3600)
    clock.now = api.key.ends - 3600
    made = api.make()
    assert api.call("GetDeployment", deploymentId=made)["data"]["creator"] == root
    assert _code(api, key=signature.Key(api.key.id, api.key.secret)) == "MissingSecurityToken"
    assert _code(api, key=signature.Key(api.key.id, "wrong", api.key.token)) == "SignatureDoesNotMatch"
    other = signature.Key(api.key.id, api.key.secret, "other")
    assert _code(api, key=other) == "InvalidSecurityToken.MismatchWithAccessKey"
    reading: Statements = [{"Effect": "Allow", "Action": "stream:List*", "Resource": "*"}]
    token, narrowed = keyring.issue(api.store, api.services.settings, root, Kind.STS, seconds=60, policies=reading)
    assert _code(api, key=narrowed) == ""
    assert _code(api, "CreateDeployment", key=narrowed) == "Forbidden.RAM"
    clock.now = narrowed.ends
    assert _code(api, key=narrowed) == "InvalidSecurityToken.Expired"
    assert _code(api) == ""
    with api.store.write() as db:
        tokens.remove(db, api.key.id)
    assert token.id != api.key.id
    assert _code(api) == "InvalidAccessKeyId.NotFound"


def test_a_temporary_key_dies_with_its_key(empty: Api, clock: Clock) -> None:
    """Removing a key ends all that was derived from it."""
    lasting = keyring.create(empty.store, empty.services.settings, description="ci")
    _, sts = keyring.issue(empty.store, empty.services.settings, lasting.id, Kind.STS, seconds=60)
    clock.now = sts.ends - 60
    assert _code(empty, "DescribeSupportedRegions", key=sts) == ""
    with empty.store.write() as db:
        keys.remove(db, lasting.id)
    assert _code(empty, "DescribeSupportedRegions", key=sts) == "InvalidAccessKeyId.NotFound"


def test_a_temporary_key_is_no_wider_than_its_key(api: Api, clock: Clock) -> None:
    """A policy of a temporary key narrows, it never adds."""
    reading = key(api, {"Effect": "Allow", "Action": "stream:List*", "Resource": "*"})
    _, sts = keyring.issue(api.store, api.services.settings, reading.id, Kind.STS, seconds=60, policies=[ALL])
    clock.now = sts.ends - 60
    assert _code(api, key=sts) == ""
    assert _code(api, "CreateDeployment", key=sts) == "Forbidden.RAM"


def test_bearer_tokens(api: Api, clock: Clock) -> None:
    """A bearer token is all that a request needs, until it ends; a letter of it changed, it is none."""
    _, bearer = keyring.issue(api.store, api.services.settings, api.key.id, Kind.BEARER, seconds=60)
    clock.now = bearer.ends - 60
    path = f"/api/v2/namespaces/{api.namespace}/deployments"

    def asked(token: str, **more: str) -> str:
        headers = {"x-acs-bearer-token": token, "workspace": api.workspace, **more}
        answer = api.client.request("GET", path, headers=headers)
        return str(answer.json().get("Code", ""))

    assert asked(bearer.token) == ""
    changed = bearer.token[:-2] + ("A" if bearer.token[-2] != "A" else "B") + bearer.token[-1]
    for wrong in (changed, bearer.id, f"{bearer.id}.", api.key.id, "x" * 5000):
        assert asked(wrong) == "InvalidBearerToken.NotFound"
    assert asked(bearer.token, **{"x-acs-signature-nonce": "n"}) == ""
    assert asked(bearer.token, **{"x-acs-signature-nonce": "n"}) == "SignatureNonceUsed"
    assert asked(bearer.token, **{"x-acs-date": "2020-01-01T00:00:00Z"}) == "InvalidTimeStamp.Expired"
    assert asked(bearer.token, **{"x-acs-content-sha256": "0" * 64}) == "SignatureDoesNotMatch"
    clock.now = bearer.ends
    assert asked(bearer.token) == "InvalidBearerToken.Expired"


def test_pages_and_states_ask_for_permission_too(api: Api) -> None:
    """A key that is limited to the API sees neither Terraform's states nor the pages of jobs, unless it says so."""
    limited = key(api, {"Effect": "Allow", "Action": "stream:*", "Resource": "*"})
    mine = {"Effect": "Allow", "Action": "flinkform:*State", "Resource": "acs:flinkform:*:*:state/dev/mine"}
    stateful = key(api, mine)
    state = json.dumps({"version": 4, "serial": 1, "lineage": "l"}).encode()

    def status(who: signature.Key, method: str, path: str, content: bytes = b"") -> int:
        return api.client.request(method, path, auth=(who.id, who.secret), content=content).status_code

    for path in ("/flinkform/v1/status", "/flinkform/v1/states", "/state/dev/mine", "/flinkform/v1/jobs/x/log"):
        assert status(limited, "GET", path) == 403
        assert status(signature.Key(limited.id, "wrong"), "GET", path) == 401
    assert status(stateful, "POST", "/state/dev/mine", state) == 200
    assert status(stateful, "GET", "/state/dev/mine") == 200
    assert status(stateful, "POST", "/state/prod/mine", state) == 403
    assert status(api.key, "GET", "/flinkform/v1/status") == 200
    assert [row["operation"] for row in rows(api) if row["principal"] == stateful.id] == ["WriteState"]


def test_every_change_is_in_the_audit_log(api: Api) -> None:
    """Each row says who, what, where and which fields; a value only where it can be no secret; reads leave none."""
    before = len(rows(api))
    made = api.make(flinkConf={"a.secret": "pl4nted"}, localVariables=[{"name": "v", "value": "pl4nted"}])
    api.call("GetDeployment", deploymentId=made)
    resources = {"streamingResourceSetting": {"basicResourceSetting": {"parallelism": 4}}}
    api.call("UpdateDeployment", {"name": "bids", "flinkConf": {"a.secret": "other"}, **resources}, deploymentId=made)
    limited = key(api)
    api.send("DeleteDeployment", api.filled("DeleteDeployment", {"deploymentId": made}), key=limited)
    created, updated, _, denied = rows(api)[before:]
    assert (created["principal"], created["operation"], created["outcome"]) == (api.key.id, "CreateDeployment", "done")
    assert created["where"] == {"namespace": api.namespace, "workspace": api.workspace}
    assert created["changes"]["localVariables[0].name"] == "v"
    assert created["changes"]["localVariables[0].value"] == "(hidden)"
    assert created["changes"]["flinkConf.a.secret"] == "(hidden)"
    assert updated["where"]["deploymentId"] == made
    assert updated["changes"] == {
        "flinkConf.a.secret": ["(hidden)", "(hidden)"],
        "streamingResourceSetting.basicResourceSetting.parallelism": [None, 4],
    }
    assert (denied["principal"], denied["operation"], denied["outcome"]) == (limited.id, "DeleteDeployment", "denied")
    assert "pl4nted" not in json.dumps(rows(api))
    with api.store.read() as db:
        assert list(audit.faults(audit.rows(db), head=audit.head(db))) == []


def test_planted_secrets_are_nowhere_in_clear(api: Api, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Neither secrets of keys nor of variables stand in the database, a log, an event, the audit log or an error."""
    planted = "pl4nted-s3cret"
    with caplog.at_level(logging.DEBUG):
        limited = key(api, ALL)
        tokens = [
            keyring.issue(api.store, api.services.settings, limited.id, kind, seconds=60)[1]
            for kind in (Kind.STS, Kind.BEARER)
        ]
        clock.now = tokens[0].ends - 60
        said: list[Any] = [api.send("ListDeployments", api.filled("ListDeployments", {}), key=tokens[0])]
        api.call("CreateVariable", {"name": "v", "kind": "Encrypted", "value": planted})
        api.call("UpdateVariable", {"name": "v", "kind": "Encrypted", "value": planted + "2"}, name="v")
        said += [api.call("ListVariables"), api.call("GetEvents"), rows(api)]
        for wrong in ({"name": "w", "kind": "Other", "value": planted}, {"name": "w", "value": [planted]}):
            asked = api.filled("CreateVariable", {})
            said.append(api.send("CreateVariable", asked, wrong)[1].get("errorMessage"))
        said.append(
            api.send("ListDeployments", api.filled("ListDeployments", {}), key=signature.Key(limited.id, planted))
        )
    found = b"".join(file.read_bytes() for file in api.services.settings.home.rglob("*") if _sensitive(file))
    logged = "".join(str(vars(one)) for one in caplog.records)
    for secret in (
        planted,
        api.key.secret,
        *(one.secret for one in (limited, tokens[0])),
        *(one.token for one in tokens),
    ):
        assert secret not in json.dumps(said)
        assert secret not in logged
        assert secret.encode() not in found


def _sensitive(file: Path) -> bool:
    return file.is_file() and file.name not in ("credentials.json", "secrets.key")


def test_what_failed_changed_nothing(api: Api) -> None:
    """A refused change leaves no row: the row stands in the transaction of the change."""
    before = len(rows(api))
    api.fails("DeleteDeployment", deploymentId="nope")
    api.fails("CreateDeployment", {"name": "x"})
    assert len(rows(api)) == before


def rows(api: Api) -> list[dict[str, Any]]:
    with api.store.read() as db:
        return [row.entry for row in audit.rows(db)]


def _code(api: Api, name: str = "ListDeployments", **how: Any) -> str:
    body = deployment("other") if operation(name).body else None
    return str(api.send(name, api.filled(name, {}), body, **how)[1].get("Code", ""))
