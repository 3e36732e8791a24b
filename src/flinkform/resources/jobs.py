"""Jobs as a data source: what a namespace holds, whoever made it."""

from __future__ import annotations

from flinkform.resources import job
from flinkform.schema.model import Attribute, Call, DataSource, Origin
from flinkform.schema.types import MapOf, String

_KEPT = ("deployment_id", "name", "execution_mode", "engine_version", "parallelism", "labels")

DATA_SOURCE = DataSource(
    name="jobs",
    plural="jobs",
    doc="The jobs of a namespace.",
    list=Call(operation="ListDeployments", places={"name": "name"}),
    items="data",
    arguments=(
        Attribute(name="workspace", type=String(), doc="The workspace's `resource_id`.", origin=Origin.REQUIRED),
        Attribute(name="namespace", type=String(), doc="The namespace's name.", origin=Origin.REQUIRED),
        Attribute(name="name", type=String(), doc="Only jobs whose name contains this."),
        Attribute(name="labels", type=MapOf(String()), doc="Only jobs that have these labels, and maybe others."),
        Attribute(name="execution_mode", type=String(choices=("STREAMING", "BATCH")), doc="Only jobs of this mode."),
        Attribute(
            name="state",
            type=String(choices=("running", "suspended", "failed", "outdated")),
            doc="Only jobs like this.",
        ),
    ),
    attributes=(
        *(
            Attribute(name=a.name, type=a.type, doc=a.doc, origin=Origin.COMPUTED, path=a.path, codec=a.codec)
            for a in job.RESOURCE.attributes
            if a.name in _KEPT
        ),
        Attribute(
            name="state",
            type=String(),
            doc="running, suspended, failed or outdated.",
            origin=Origin.COMPUTED,
        ),
    ),
    example="""
data "flink_jobs" "bids" {
  workspace = flink_workspace.main.resource_id
  namespace = "bids"
}
""",
)
