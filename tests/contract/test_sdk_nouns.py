"""The official SDKs, synchronous and asynchronous, call every operation of the nouns that are only kept."""

from __future__ import annotations

from typing import Any

from alibabacloud_ververica20220718 import models

from tests.contract.served import until
from tests.contract.test_sdk import SCRIPT, Sdk, _direct, becomes, create, plane, pytestmark, sdk

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


def test_variables(sdk: Sdk) -> None:
    """Variables are made, listed, changed and removed; what is encrypted is not told again, what is clear is."""
    secret = models.Variable(name="password", kind="Encrypted", value="hunter2", description="d")
    assert sdk.call("CreateVariable", "create_variable", body=secret).data.value == "******"
    sdk.call("CreateVariable", "create_variable", body=models.Variable(name="host", kind="Clear", value="db"))
    listed = sdk.call("ListVariables", "list_variables", page_size=100)
    assert [(one.name, one.kind, one.value) for one in listed.data] == [
        ("password", "Encrypted", "******"),
        ("host", "Clear", "db"),
    ]
    assert listed.data[0].description == "d"
    changed = models.Variable(name="host", kind="Clear", value="db2")
    assert sdk.call("UpdateVariable", "update_variable", "host", body=changed).data.value == "db2"
    assert sdk.call("DeleteVariable", "delete_variable", "host").success is True
    assert [one.name for one in sdk.call("ListVariables", "list_variables").data] == ["password"]
    unnamed = sdk.call("UpdateVariable", "update_variable", "gone", body=changed)
    assert (unnamed.success, unnamed.error_code) == (False, "990301")


def test_folders(sdk: Sdk) -> None:
    """Folders lie in folders, are renamed and moved, and tell what is in them; the root is always there."""
    top = sdk.call("CreateFolder", "create_folder", body=models.Folder(name="reports")).data
    inner = sdk.call("CreateFolder", "create_folder", body=models.Folder(name="daily", parent_id=top.folder_id)).data
    assert isinstance(inner.created_at, int)
    assert (inner.workspace, inner.namespace, inner.sub_folder) == (sdk.workspace, sdk.namespace, [])
    root = sdk.call("GetFolder", "get_folder").data
    assert [one.folder_id for one in root.sub_folder] == [top.folder_id]
    found = sdk.call("GetFolder", "get_folder", folder_id=top.folder_id).data
    assert [one.to_map() for one in found.sub_folder] == [
        {"folderId": inner.folder_id, "name": "daily", "parentId": top.folder_id}
    ]
    full = sdk.call("DeleteFolder", "delete_folder", top.folder_id)
    assert (full.success, full.error_message) == (False, "folder reports holds 1 folders; delete them first")
    moved = models.Folder(name="weekly", parent_id=root.folder_id)
    assert sdk.call("UpdateFolder", "update_folder", inner.folder_id, body=moved).data.name == "weekly"
    assert sdk.call("DeleteFolder", "delete_folder", top.folder_id).success is True
    assert [one.name for one in sdk.call("GetFolder", "get_folder").data.sub_folder] == ["weekly"]


def test_targets(sdk: Sdk) -> None:
    """Targets are made both ways, listed beside the usual queue, resized and removed; a job runs in one."""
    spec = models.ResourceSpec(cpu=2.0, memory="8Gi")
    made = sdk.call("CreateDeploymentTarget", "create_deployment_target", deployment_target_name="batch", body=spec)
    assert made.data.quota.limit.to_map() == {"cpu": 2.0, "memory": "8Gi"}
    both = models.Resource(fixed_resource=spec, elastic_resource=models.ResourceSpec(cpu=1.0, memory="4 GiB"))
    two = sdk.call("CreateDeploymentTargetV2", "create_deployment_target_v2", deployment_target_name="big", body=both)
    assert two.data.quota.limit.to_map() == {"cpu": 3.0, "memory": "12Gi"}
    names = [one.name for one in sdk.call("ListDeploymentTargets", "list_deployment_targets").data]
    assert names == ["default-queue", "batch", "big"]
    smaller = models.ResourceSpec(cpu=1.0, memory="4Gi")
    assert sdk.call("UpdateDeploymentTarget", "update_deployment_target", "batch", body=smaller).success is True
    fixed = models.Resource(fixed_resource=smaller)
    resized = sdk.call("UpdateDeploymentTargetV2", "update_deployment_target_v2", "big", body=fixed)
    assert resized.data.quota.limit.cpu == 1.0

    deployment = create(sdk, "bids", deployment_target=models.BriefDeploymentTarget(mode="PER_JOB", name="batch"))
    job = sdk.call("StartJob", "start_job", body=models.StartJobRequestBody(deployment_id=deployment)).data
    becomes(lambda: str(sdk.call("GetJob", "get_job", job.job_id).data.status.current_job_status), "RUNNING")
    used = sdk.call("DeleteDeploymentTarget", "delete_deployment_target", "batch")
    assert (used.success, used.error_code) == (False, "OperationConflict")
    assert used.error_message.startswith("deployment target batch is what bids run in")
    assert sdk.call("DeleteDeploymentTarget", "delete_deployment_target", "big").data.name == "big"
    sdk.call("StopJob", "stop_job", job.job_id, body=models.StopJobRequestBody(stop_strategy="NONE"))
    becomes(lambda: str(sdk.call("GetJob", "get_job", job.job_id).data.status.current_job_status), "CANCELLED")


def test_session_clusters(sdk: Sdk) -> None:
    """A session cluster is made, started, changed under its job, and neither stopped nor removed while it is used."""

    def status() -> Any:
        return sdk.call("GetSessionCluster", "get_session_cluster", "shared").data.status

    def state() -> str:
        return str(status().current_session_cluster_status)

    spec = models.BasicResourceSettingSpec(cpu=1.0, memory="1 GiB")
    basic = models.BasicResourceSetting(parallelism=4, taskmanager_resource_setting_spec=spec)
    asked = models.SessionCluster(name="shared", deployment_target_name="default-queue", basic_resource_setting=basic)
    made = sdk.call("CreateSessionCluster", "create_session_cluster", body=asked).data
    assert (made.name, made.status.current_session_cluster_status) == ("shared", "STOPPED")
    assert isinstance(made.created_at, int)
    assert (made.workspace, made.namespace) == (sdk.workspace, sdk.namespace)

    target = models.BriefDeploymentTarget(mode="SESSION", name="shared")
    deployment = create(sdk, "sharing", deployment_target=target)
    body = models.StartJobRequestBody(deployment_id=deployment)
    early = sdk.call("StartJob", "start_job", body=body)
    assert (early.success, early.error_message) == (
        False,
        "expected session cluster shared RUNNING, got STOPPED; start it first",
    )
    assert sdk.call("StartSessionCluster", "start_session_cluster", "shared").success is True
    becomes(state, "RUNNING")
    job = sdk.call("StartJob", "start_job", body=body).data
    assert job.session_cluster_name == "shared"
    becomes(lambda: str(sdk.call("GetJob", "get_job", job.job_id).data.status.current_job_status), "RUNNING")
    assert status().running.reference_deployment_ids == [deployment]

    busy = sdk.call("StopSessionCluster", "stop_session_cluster", "shared")
    assert (busy.success, busy.error_code) == (False, "OperationConflict")
    assert busy.error_message.startswith("session cluster shared runs sharing; stop them first")
    smaller = models.BasicResourceSetting(parallelism=2, taskmanager_resource_setting_spec=spec)
    change = models.SessionCluster(basic_resource_setting=smaller, labels={"team": "a"})
    changed = sdk.call("UpdateSessionCluster", "update_session_cluster", "shared", body=change).data
    assert changed.status.current_session_cluster_status == "UPDATING"
    assert (changed.labels, changed.basic_resource_setting.parallelism) == ({"team": "a"}, 2)
    becomes(state, "RUNNING")
    becomes(lambda: str(sdk.call("GetJob", "get_job", job.job_id).data.status.current_job_status), "RUNNING")

    sdk.call("StopJob", "stop_job", job.job_id, body=models.StopJobRequestBody(stop_strategy="NONE"))
    becomes(lambda: str(sdk.call("GetJob", "get_job", job.job_id).data.status.current_job_status), "CANCELLED")
    early = sdk.call("DeleteSessionCluster", "delete_session_cluster", "shared")
    assert (early.success, early.error_code) == (False, "OperationConflict")
    assert sdk.call("StopSessionCluster", "stop_session_cluster", "shared").success is True
    becomes(state, "STOPPED")
    used = sdk.call("DeleteSessionCluster", "delete_session_cluster", "shared")
    assert used.error_message.startswith("session cluster shared is where sharing run")
    sdk.call("DeleteDeployment", "delete_deployment", deployment)
    assert sdk.call("DeleteSessionCluster", "delete_session_cluster", "shared").data.name == "shared"
    assert sdk.call("ListSessionClusters", "list_session_clusters").data == []


def test_drafts(sdk: Sdk) -> None:
    """A draft is made, changed in part, locked, validated and deployed behind tickets, deployed again, and removed."""
    script = models.Artifact(kind="SQLSCRIPT", sql_artifact=models.SqlArtifact(sql_script=SCRIPT))
    body = models.DeploymentDraft(name="totals", artifact=script, execution_mode="BATCH", labels={"team": "a"})
    made = sdk.call("CreateDeploymentDraft", "create_deployment_draft", body=body).data
    assert isinstance(made.created_at, int)
    assert made.artifact.sql_artifact.sql_script == SCRIPT
    draft = made.deployment_draft_id
    body = models.DeploymentDraft(labels={"team": "b"})
    changed = sdk.call("UpdateDeploymentDraft", "update_deployment_draft", draft, body=body).data
    assert (changed.labels, changed.execution_mode, changed.artifact.kind) == ({"team": "b"}, "BATCH", "SQLSCRIPT")
    lock = sdk.call("GetDeploymentDraftLock", "get_deployment_draft_lock", deployment_draft_id=draft).data
    assert (lock.id, lock.namespace) == (draft, sdk.namespace)
    found = sdk.call("GetDeploymentDraft", "get_deployment_draft", draft).data
    assert found.lock.holder_id == lock.holder_id
    assert [one.name for one in sdk.call("ListDeploymentDrafts", "list_deployment_drafts").data] == ["totals"]

    asked = models.DraftValidateParams(deployment_draft_id=draft)
    ticket = sdk.call("ValidateDeploymentDraftAsync", "validate_deployment_draft_async", body=asked).data.ticket_id

    def judged() -> Any:
        answer = sdk.call("GetValidateDeploymentDraftResult", "get_validate_deployment_draft_result", ticket)
        return answer.data

    until(lambda: judged().ticket_status == "FINISHED", "the validation")
    assert judged().draft_validation_detail.sql_validation_result == "VALIDATION_RESULT_VALID"
    deployment = deployed(sdk, draft)
    assert sdk.call("GetDeployment", "get_deployment", deployment).data.referenced_deployment_draft_id == draft
    assert sdk.call("GetDeploymentDraft", "get_deployment_draft", draft).data.referenced_deployment_id == deployment
    assert deployed(sdk, draft) == deployment
    assert sdk.call("DeleteDeploymentDraft", "delete_deployment_draft", draft).success is True
    gone = sdk.call("GetDeploymentDraft", "get_deployment_draft", draft)
    assert (gone.success, gone.error_code) == (False, "990301")


def deployed(sdk: Sdk, draft: str) -> str:
    """Return the id of the deployment that a draft became."""
    target = models.BriefDeploymentTarget(mode="PER_JOB", name="default-queue")
    asked = models.DraftDeployParams(deployment_draft_id=draft, deployment_target=target, skip_validate=False)
    ticket = sdk.call("DeployDeploymentDraftAsync", "deploy_deployment_draft_async", body=asked).data.ticket_id

    def done() -> Any:
        return sdk.call("GetDeployDeploymentDraftResult", "get_deploy_deployment_draft_result", ticket).data

    until(lambda: done().ticket_status == "FINISHED", "the deployment")
    return str(done().deployment_id)
