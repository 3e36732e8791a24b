"""Folders as a data source: the API has no list of them, but tells what is in one."""

from __future__ import annotations

from flinkform.schema.model import Attribute, Call, DataSource, Origin
from flinkform.schema.types import String

DATA_SOURCE = DataSource(
    name="folders",
    plural="folders",
    doc="The folders in a folder.",
    list=Call(operation="GetFolder", places={"folder_id": "folderId"}),
    items="data.subFolder",
    arguments=(
        Attribute(name="workspace", type=String(), doc="The workspace's `resource_id`.", origin=Origin.REQUIRED),
        Attribute(name="namespace", type=String(), doc="The namespace's name.", origin=Origin.REQUIRED),
        Attribute(name="folder_id", type=String(), doc="The folder; the namespace's root if unset."),
        Attribute(name="name", type=String(), doc="Only those whose `name` is this."),
    ),
    attributes=(
        Attribute(name="folder_id", type=String(), doc="Its id.", origin=Origin.COMPUTED, path="folderId"),
        Attribute(name="name", type=String(), doc="Its name.", origin=Origin.COMPUTED, path="name"),
        Attribute(name="parent_id", type=String(), doc="What it is in.", origin=Origin.COMPUTED, path="parentId"),
    ),
    example="""
data "flink_folders" "root" {
  workspace = flink_workspace.main.resource_id
  namespace = flink_namespace.bids.name
}
""",
)
