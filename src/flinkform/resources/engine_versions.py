"""Engine versions: which Flink releases a workspace can run."""

from __future__ import annotations

from flinkform.schema.model import Attribute, Call, DataSource, Origin
from flinkform.schema.types import String

DATA_SOURCE = DataSource(
    name="engine_versions",
    plural="versions",
    doc="The engine versions that jobs may ask for.",
    list=Call(operation="ListEngineVersionMetadata"),
    items="data.engineVersionMetadata",
    arguments=(
        Attribute(name="workspace", type=String(), doc="The workspace's `resource_id`.", origin=Origin.REQUIRED),
        Attribute(name="status", type=String(), doc="Only those whose `status` is this."),
    ),
    extra=(
        Attribute(
            name="default",
            type=String(),
            doc="The version of a job that asks for none.",
            origin=Origin.COMPUTED,
            path="data.defaultEngineVersion",
        ),
    ),
    attributes=(
        Attribute(name="version", type=String(), doc="Its name.", origin=Origin.COMPUTED, path="engineVersion"),
        Attribute(
            name="status", type=String(), doc="STABLE, BETA or DEPRECATED.", origin=Origin.COMPUTED, path="status"
        ),
    ),
    example="""
data "flink_engine_versions" "all" {
  workspace = flink_workspace.main.resource_id
}
""",
)
