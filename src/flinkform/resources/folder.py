"""Folders: where drafts lie, at any depth."""

from __future__ import annotations

from flinkform.resources.scope import within
from flinkform.schema.model import Api, Attribute, Call, Origin, Resource
from flinkform.schema.types import String

RESOURCE = Resource(
    name="folder",
    doc="A folder for drafts, in another one or at the root.",
    key=("workspace", "namespace", "folder_id"),
    kept=True,
    unique=("parent_id", "name"),
    api=Api(
        create=Call(operation="CreateFolder"),
        read=Call(operation="GetFolder"),
        update=Call(operation="UpdateFolder"),
        delete=Call(operation="DeleteFolder"),
        answer="data",
    ),
    attributes=(
        *within("folder_id"),
        Attribute(
            name="name",
            type=String(pattern=r"[^/\s]([^/\n]{0,126}[^/\s])?", hint="a name without '/', of at most 128 characters"),
            doc="Unique within its parent.",
            origin=Origin.REQUIRED,
            path="name",
        ),
        Attribute(
            name="parent_id",
            type=String(),
            doc="The `folder_id` of the folder it is in; the namespace's root if it never was set.",
            origin=Origin.EITHER,
            stable=True,
            refers="folder",
            path="parentId",
        ),
        Attribute(
            name="folder_id",
            type=String(),
            doc="The folder's id.",
            origin=Origin.COMPUTED,
            stable=True,
            path="folderId",
        ),
    ),
    example="""
resource "flink_folder" "reports" {
  workspace = flink_workspace.main.resource_id
  namespace = flink_namespace.bids.name
  name      = "reports"
}

resource "flink_folder" "daily" {
  workspace = flink_workspace.main.resource_id
  namespace = flink_namespace.bids.name
  name      = "daily"
  parent_id = flink_folder.reports.folder_id
}
""",
)
