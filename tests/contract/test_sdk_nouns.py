"""The official SDKs, synchronous and asynchronous, call every operation of the nouns that are only kept."""

from __future__ import annotations

from alibabacloud_ververica20220718 import models

from tests.contract.test_sdk import Sdk, _direct, plane, pytestmark, sdk

__all__ = ["_direct", "plane", "pytestmark", "sdk"]


def test_members(sdk: Sdk) -> None:
    """A member is let in, read, listed, given another role and put out; each answer has the member in it."""
    ann = models.Member(member="user:1", role="EDITOR")
    made = sdk.call("CreateMember", "create_member", body=ann)
    assert (made.success, made.data.to_map()) == (True, ann.to_map())
    sdk.call("CreateMember", "create_member", body=models.Member(member="user:2"))
    twice = sdk.call("CreateMember", "create_member", body=ann)
    assert (twice.success, twice.error_code) == (False, "OperationConflict")
    wrong = sdk.call("CreateMember", "create_member", body=models.Member(member="user:3", role="BOSS"))
    assert (wrong.success, wrong.error_code) == (False, "InvalidParameter")
    assert wrong.error_message == "role: expected one of VIEWER, EDITOR, ADMIN, got 'BOSS'"
    listed = sdk.call("ListMembers", "list_members", page_size=1, page_index=2)
    assert ([one.member for one in listed.data], listed.total_size) == (["user:2"], 2)
    sdk.call("UpdateMember", "update_member", body=models.Member(member="user:2", role="ADMIN"))
    assert sdk.call("GetMember", "get_member", "user:2").data.role == "ADMIN"
    assert sdk.call("DeleteMember", "delete_member", "user:2").success is True
    gone = sdk.call("GetMember", "get_member", "user:2")
    assert (gone.success, gone.error_code) == (False, "990301")
    assert [one.member for one in sdk.call("ListMembers", "list_members").data] == ["user:1"]
