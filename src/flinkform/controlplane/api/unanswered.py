"""Every operation of the public API that the embedded control plane does not answer: refused for a reason, or later."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from flinkform.controlplane.api.handlers import HANDLERS

_AI = "it sells a model service of Alibaba Cloud, which nothing on your own machines can stand for"
_SALE = "it changes how Alibaba Cloud bills an account, and the embedded control plane sells nothing"

REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "ChatAiAgent",
            "CloseFlinkAiService",
            "GetFlinkAiService",
            "GetFlinkAiServiceFreeQuota",
            "ModifyAiServiceProtection",
            "OpenFlinkAiService",
        ),
        _AI,
    ),
    "ConvertHybridInstance": _SALE,
}
"""What will not be answered: name to reason."""

_PLANNED: Mapping[str, tuple[str, ...]] = {
    "artifacts and connectors of users": (
        "CreateUdfArtifact",
        "DeleteCustomConnector",
        "DeleteUdfArtifact",
        "DeleteUdfFunction",
        "GetUdfArtifacts",
        "ListCustomConnectors",
        "RegisterCustomConnector",
        "RegisterUdfFunction",
        "UpdateUdfArtifact",
    ),
    "billing and prices": (
        "ConvertInstance",
        "ConvertPrepayInstance",
        "ModifyElasticResourceSpec",
        "ModifyPrepayInstanceSpec",
        "ModifyPrepayNamespaceSpec",
        "QueryConvertInstancePrice",
        "QueryConvertPrepayInstancePrice",
        "QueryCreateInstancePrice",
        "QueryModifyInstancePrice",
        "QueryRenewInstancePrice",
        "RenewInstance",
    ),
    "catalogs and lineage": ("GetCatalogs", "GetDatabases", "GetLineageInfo", "GetTables"),
    "deployments by other keys": (
        "DeleteDeploymentByName",
        "GetDeploymentsByIp",
        "GetDeploymentsByLabel",
        "UpdateDeploymentByName",
    ),
    "deployment targets": (
        "CreateDeploymentTarget",
        "CreateDeploymentTargetV2",
        "DeleteDeploymentTarget",
        "UpdateDeploymentTarget",
        "UpdateDeploymentTargetV2",
    ),
    "drafts, folders and SQL files": (
        "CreateDeploymentDraft",
        "CreateFolder",
        "CreateSqlFile",
        "DeleteDeploymentDraft",
        "DeleteFolder",
        "DeleteSqlFile",
        "DeployDeploymentDraftAsync",
        "GetDeployDeploymentDraftResult",
        "GetDeploymentDraft",
        "GetDeploymentDraftLock",
        "GetFolder",
        "GetSqlFile",
        "GetValidateDeploymentDraftResult",
        "ListDeploymentDrafts",
        "UpdateDeploymentDraft",
        "UpdateFolder",
        "UpdateSqlFile",
        "ValidateDeploymentDraftAsync",
    ),
    "members": ("ListEditableNamespace",),
    "patrols": (
        "GetPatrolConfig",
        "GetPatrolReportDetail",
        "ListPatrolReports",
        "TriggerPatrol",
        "UpdatePatrolConfig",
    ),
    "plans of resources, autopilot": (
        "ApplyScheduledPlan",
        "CreateScheduledPlan",
        "DeleteScheduledPlan",
        "GenerateResourcePlanWithFlinkConfAsync",
        "GetAppliedScheduledPlan",
        "GetAutopilotPolicy",
        "GetGenerateResourcePlanResult",
        "ListAutopilotTuningHistories",
        "ListScheduledPlan",
        "ListScheduledPlanExecutedHistory",
        "StopApplyScheduledPlan",
        "UpdateAutopilotPolicy",
        "UpdateScheduledPlan",
    ),
    "SQL run by hand": (
        "CancelSqlPreview",
        "ExecuteSqlStatement",
        "FetchSqlExecutionResult",
        "FetchSqlPreviewResults",
        "StartSqlExecution",
        "StopSqlExecution",
        "SubmitSqlPreview",
    ),
    "tags and networks of workspaces": ("ListTagResources", "ModifyInstanceVswitch", "TagResources", "UntagResources"),
    "variables": ("CreateVariable", "DeleteVariable", "ListVariables", "UpdateVariable"),
}

LATER: Mapping[str, tuple[str, ...]] = {
    noun: left for noun, names in _PLANNED.items() if (left := tuple(n for n in names if n not in HANDLERS))
}
"""What is not answered yet, by noun. A kept type is answered as soon as it is declared."""


def reason(operation: str) -> str:
    """Return why *operation* is not answered."""
    if operation in REFUSED:
        return REFUSED[operation]
    known = operation in set(chain.from_iterable(LATER.values()))
    return "a later version will" if known else "no version of the public API that it knows has it"
