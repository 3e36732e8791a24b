"""Policies as RAM writes them: what is understood, what is refused, and what each pattern means."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flinkform.controlplane import policy
from flinkform.controlplane.policy import Verdict
from flinkform.errors import Invalid
from flinkform.openapi.operation import names, operation

HERE = policy.place("cn-hangzhou", "f-cn-1", "team-a")


def document(effect: Any = "Allow", action: Any = "stream:*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Version": "1", "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}]}


def said(action: str, *documents: dict[str, Any], place: str = HERE) -> Verdict:
    return policy.judge([one for text in documents for one in policy.read(text)], [action], [[place]])


@pytest.mark.parametrize(
    ("action", "resource", "allowed"),
    [
        ("stream:StartJob", "*", True),
        ("stream:start*", "*", True),
        ("stream:St?rtJob", "*", True),
        (["stream:StopJob", "stream:StartJob"], "*", True),
        ("*", "acs:stream:*:*:vvpinstance/f-cn-1/vvpnamespace/team-a", True),
        ("*", "acs:stream:cn-hangzhou:181319557522:vvpinstance/*", True),
        ("*", ["acs:stream:*:*:vvpinstance/f-cn-2/*", "acs:stream:*:*:vvpinstance/f-cn-1/*"], True),
        ("stream:StopJob", "*", False),
        ("stream:StartJobWithParams", "*", False),
        ("stream:Start", "*", False),
        ("*", "acs:stream:*:*:vvpinstance/f-cn-1", False),
        ("*", "acs:stream:*:*:vvpinstance/f-cn-1/vvpnamespace/team-A", False),
        ("*", "acs:stream:eu-central-1:*:vvpinstance/*", False),
        ("*", "acs:stream:*:*:vvpinstance/f.cn.1/vvpnamespace/team-a", False),
    ],
)
def test_patterns(action: Any, resource: Any, allowed: bool) -> None:
    """A star stands for anything, a question mark for one character, and nothing else is special."""
    found = said("stream:StartJob", document(action=action, resource=resource))
    assert found is (Verdict.ALLOWED if allowed else Verdict.UNSAID)


def test_deny_wins() -> None:
    """A deny counts only where it fits, and there before every allow."""
    deny = document("Deny", "stream:StartJob", HERE)
    assert said("stream:StartJob", document(), deny) is Verdict.DENIED
    assert said("stream:StartJob", deny, document()) is Verdict.DENIED
    assert said("stream:StartJob", deny, document(), place=HERE + "b") is Verdict.ALLOWED


def test_all_places_must_be_allowed() -> None:
    """What touches several places needs all of them."""
    allowed = policy.read(document(resource=HERE))
    assert policy.judge(allowed, ["stream:TagResources"], [[HERE], [HERE + "b"]]) is Verdict.UNSAID
    assert policy.judge(allowed, ["stream:TagResources"], [["x", HERE], [HERE]]) is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ([], "expected an object"),
        ({"Statement": []}, "Version"),
        ({"Version": "2", "Statement": []}, "expected 1"),
        (document("Maybe"), "Effect"),
        (document(action="ecs:StartInstance"), "Action"),
        (document(action=[]), "Action"),
        (document(action=None), "Action"),
        (document(resource="vvpinstance/x"), "Resource"),
        (document(Condition={"IpAddress": {}}), "Condition"),
        (document(NotAction="x"), "NotAction"),
        ({"Version": "1", "Statement": ["x"]}, "Statement"),
    ],
)
def test_what_is_not_understood_is_refused(wrong: Any, text: str) -> None:
    """Nothing is guessed: a policy that says more than is checked here would allow more than it says."""
    with pytest.raises(Invalid, match=text):
        policy.read(wrong)


def test_files(tmp_path: Path) -> None:
    """A policy file is JSON or YAML; its name stands before what is wrong with it."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps(document()))
    assert policy.load(path) == document()["Statement"]
    path.write_text("Version: 1\nStatement: {Effect: Allow, Action: 'stream:*', Resource: '*'}\n")
    assert policy.load(path) == document()["Statement"]
    for wrong in (b"{", b"\xff", b"Version: [", b" " * 70_000, b"Version: '1'\nStatement: x"):
        path.write_bytes(wrong)
        with pytest.raises(Invalid, match=r"p\.json"):
            policy.load(path)
    with pytest.raises(Invalid, match="nope"):
        policy.load(tmp_path / "nope")


@pytest.mark.parametrize(
    ("name", "ram"),
    [
        ("CreateInstance", "CreateVvpInstance"),
        ("DescribeInstances", "DescribeVvpInstances"),
        ("ModifyInstanceSpec", "ModifyVvpInstanceSpec"),
        ("ConvertPrepayInstance", "ConvertVvpInstance"),
        ("DeleteNamespace", "DeleteVvpNamespace"),
        ("ModifyNamespaceSpecV2", "ModifyVvpNamespaceSpec"),
        ("TagResources", "TagVvpResources"),
        ("ListTagResources", "QueryTagVvpResources"),
        ("UntagResources", "UnTagVvpResources"),
    ],
)
def test_names_of_the_console(name: str, ram: str) -> None:
    """The console's actions go by RAM's names as well."""
    assert policy.actions(operation(name)) == (f"stream:{name}", f"stream:{ram}")


def test_reads_change_nothing() -> None:
    """What a viewer may do is what neither takes nor makes anything."""
    reads = {name for name in names() if operation(name).reads}
    assert {"GetJob", "ListJobs", "QueryCreateInstancePrice", "ListTagResources", "GetLineageInfo"} <= reads
    assert not {"GetDeploymentDraftLock", "ValidateDeploymentDraftAsync", "StartJob", "TagResources"} & reads
    assert all(operation(name).method == "POST" or name in reads or operation(name).method != "GET" for name in names())
