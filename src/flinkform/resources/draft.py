"""Drafts: scripts that are being worked on, until they are deployed."""

from __future__ import annotations

from flinkform.resources.job import OURS
from flinkform.resources.scope import within
from flinkform.schema.codec import Labels
from flinkform.schema.model import Api, Attribute, Call, Origin, Resource
from flinkform.schema.types import MapOf, String

RESOURCE = Resource(
    name="draft",
    doc="A script that is being worked on; it runs once it is deployed.",
    key=("workspace", "namespace", "draft_id"),
    kept=True,
    unique=("name",),
    api=Api(
        create=Call(operation="CreateDeploymentDraft", fixed={"artifact.kind": "SQLSCRIPT"}),
        read=Call(operation="GetDeploymentDraft"),
        list=Call(operation="ListDeploymentDrafts"),
        update=Call(operation="UpdateDeploymentDraft", fixed={"artifact.kind": "SQLSCRIPT"}),
        delete=Call(operation="DeleteDeploymentDraft"),
        lock=Call(operation="GetDeploymentDraftLock"),
        items="data",
        answer="data",
    ),
    attributes=(
        *within("draft_id"),
        Attribute(
            name="name",
            type=String(pattern=r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,254}", hint="letters, digits, '-', '_' and '.'"),
            doc="Unique within the namespace; the deployment that is made of it is called the same.",
            origin=Origin.REQUIRED,
            path="name",
        ),
        Attribute(
            name="sql",
            type=String(),
            doc="The script, which need not be right yet.",
            origin=Origin.REQUIRED,
            path="artifact.sqlArtifact.sqlScript",
        ),
        Attribute(
            name="execution_mode",
            type=String(choices=("STREAMING", "BATCH")),
            doc="STREAMING runs until stopped; BATCH ends by itself.",
            default="STREAMING",
            path="executionMode",
        ),
        Attribute(
            name="engine_version",
            type=String(),
            doc="The engine it is for; the control plane's default if it never was set.",
            origin=Origin.EITHER,
            stable=True,
            path="engineVersion",
        ),
        Attribute(
            name="labels",
            type=MapOf(String()),
            doc="For finding and filtering.",
            path="labels",
            codec=Labels(OURS),
        ),
        Attribute(
            name="folder_id",
            type=String(),
            doc="The folder it is in; the namespace's root if it never was set.",
            origin=Origin.EITHER,
            stable=True,
            refers="folder",
            path="parentId",
        ),
        Attribute(
            name="draft_id",
            type=String(),
            doc="The draft's id.",
            origin=Origin.COMPUTED,
            stable=True,
            path="deploymentDraftId",
        ),
    ),
    example="""
resource "flink_draft" "totals" {
  workspace = flink_workspace.main.resource_id
  namespace = flink_namespace.bids.name
  name      = "totals"
  folder_id = flink_folder.reports.folder_id
  sql       = "INSERT INTO totals SELECT SUM(amount) FROM bids"
}
""",
)
