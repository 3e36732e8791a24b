"""Drafts: one edits at a time, and what takes long gets a ticket."""

from __future__ import annotations

from typing import Any

import pytest

from flinkform.controlplane import keyring
from flinkform.controlplane.api import locks, tickets
from flinkform.flink.values import Problem
from flinkform.openapi import signature
from tests.contract.served import until
from tests.unit.controlplane.api.world import Api, Clock, Flink

DRAFT: dict[str, Any] = {"name": "totals", "artifact": {"sqlArtifact": {"sqlScript": "SELECT 1"}}}


@pytest.fixture
def draft(api: Api) -> str:
    return str(api.call("CreateDeploymentDraft", DRAFT)["data"]["deploymentDraftId"])


@pytest.fixture
def other(api: Api) -> signature.Key:
    """The key of a colleague."""
    made = keyring.create(api.store, api.services.settings, description="colleague")
    return signature.Key(made.id, made.secret)


def outcome(api: Api, operation: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return what came of a ticket."""
    ticket = api.call(f"{operation}DeploymentDraftAsync", body)["data"]["ticketId"]

    def asked() -> dict[str, Any]:
        return dict(api.call(f"Get{operation}DeploymentDraftResult", ticketId=ticket)["data"])

    until(lambda: asked()["ticketStatus"] != "EXECUTING", "the ticket")
    return asked()


def test_one_edits_at_a_time(api: Api, draft: str, other: signature.Key, clock: Clock) -> None:
    """Whoever has the lock keeps others out, until some minutes after their last work."""
    api.call("GetDeploymentDraftLock", deploymentDraftId=draft)
    mine, api.key = api.key, other
    calls: tuple[tuple[str, Any], ...] = (
        ("GetDeploymentDraftLock", None),
        ("UpdateDeploymentDraft", {"name": "b"}),
        ("DeleteDeploymentDraft", None),
    )
    for name, body in calls:
        code, said = api.fails(name, body, deploymentDraftId=draft)
        assert code == "OperationConflict"
        assert f"draft totals is being edited by {mine.id}" in said
    for name in ("ValidateDeploymentDraftAsync", "DeployDeploymentDraftAsync"):
        assert api.fails(name, {"deploymentDraftId": draft})[0] == "OperationConflict"
    clock.now += locks.LASTS / 1000
    assert "lock" not in api.call("GetDeploymentDraft", deploymentDraftId=draft)["data"]
    taken = api.call("GetDeploymentDraftLock", deploymentDraftId=draft)["data"]
    assert taken["holderId"] == other.id
    api.call("DeleteDeploymentDraft", deploymentDraftId=draft)


def test_what_is_wrong_is_not_deployed(api: Api, draft: str, flink: Flink) -> None:
    """A ticket tells what the planner found, line and column; nothing is made of a draft that is wrong."""
    flink.problems = [Problem(3, 7, 3, 9, "no such table")]
    checked = outcome(api, "Validate", {"deploymentDraftId": draft})
    assert (checked["ticketStatus"], checked["success"]) == ("FAILED", False)
    assert checked["draftValidationDetail"]["sqlErrorDetail"]["lineNumber"] == "3"
    refused = outcome(api, "Deploy", {"deploymentDraftId": draft})
    assert (refused["ticketStatus"], refused["message"]) == ("FAILED", "no such table")
    assert api.call("ListDeployments")["totalSize"] == 0
    made = outcome(api, "Deploy", {"deploymentDraftId": draft, "skipValidate": True})
    assert (made["success"], api.call("ListDeployments")["totalSize"]) == (True, 1)


def test_a_deployment_that_went_is_made_again(api: Api, draft: str) -> None:
    """Deploying brings the deployment up to the draft; one that is gone is made anew, no other is taken for it."""
    first = outcome(api, "Deploy", {"deploymentDraftId": draft})["deploymentId"]
    api.call("UpdateDeploymentDraft", {"artifact": {"sqlArtifact": {"sqlScript": "SELECT 2"}}}, deploymentDraftId=draft)
    assert outcome(api, "Deploy", {"deploymentDraftId": draft})["deploymentId"] == first
    shown = api.call("GetDeployment", deploymentId=first)["data"]
    assert shown["artifact"]["sqlArtifact"]["sqlScript"] == "SELECT 2"
    api.call("DeleteDeployment", deploymentId=first)
    api.make("totals")
    taken = outcome(api, "Deploy", {"deploymentDraftId": draft})
    assert (taken["ticketStatus"], taken["success"]) == ("FAILED", False)
    assert taken["message"].startswith("deployment totals exists already")


def test_a_ticket_nobody_works_on(api: Api, draft: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A control plane that died leaves no ticket that executes for ever; unknown ones are not there."""
    monkeypatch.setattr(tickets, "WORKERS", Idle())
    ticket = api.call("ValidateDeploymentDraftAsync", {"deploymentDraftId": draft})["data"]["ticketId"]
    asked = api.call("GetValidateDeploymentDraftResult", ticketId=ticket)["data"]
    assert asked == {"ticketStatus": "EXECUTING"}
    clock.now += 600
    asked = api.call("GetValidateDeploymentDraftResult", ticketId=ticket)["data"]
    assert (asked["ticketStatus"], asked["success"]) == ("FAILED", False)
    assert api.fails("GetDeployDeploymentDraftResult", ticketId=ticket)[0] == "990301"


def test_what_a_draft_cannot_keep(api: Api, draft: str) -> None:
    """What no deployment here could be made of is refused, not forgotten."""
    odd = {**DRAFT, "name": "b", "artifact": {"kind": "JAR"}}
    assert api.fails("CreateDeploymentDraft", odd)[1] == "artifact.kind: expected SQLSCRIPT, got 'JAR'"
    variables = {"localVariables": [{"name": "a", "value": "b"}]}
    assert api.fails("UpdateDeploymentDraft", variables, deploymentDraftId=draft)[0] == "InvalidParameter"
    folder = api.call("CreateFolder", {"name": "a"})["data"]["folderId"]
    api.call("UpdateDeploymentDraft", {"parentId": folder}, deploymentDraftId=draft)
    assert api.fails("DeleteFolder", folderId=folder)[1] == "folder a holds 1 drafts; delete them first"


class Idle:
    """Workers that never come to it."""

    def submit(self, *_: Any) -> None:
        return
