"""Savepoints as a data source: what jobs can go back to."""

from __future__ import annotations

from flinkform.schema.model import Attribute, Call, DataSource, Origin
from flinkform.schema.types import Number, String

DATA_SOURCE = DataSource(
    name="savepoints",
    plural="savepoints",
    doc="The savepoints of a namespace, of its jobs or of one.",
    list=Call(operation="ListSavepoints", places={"deployment_id": "deploymentId", "job_id": "jobId"}),
    items="data",
    arguments=(
        Attribute(name="workspace", type=String(), doc="The workspace's `resource_id`.", origin=Origin.REQUIRED),
        Attribute(name="namespace", type=String(), doc="The namespace's name.", origin=Origin.REQUIRED),
        Attribute(name="deployment_id", type=String(), doc="Only those of this job."),
        Attribute(name="job_id", type=String(), doc="Only those of this run."),
        Attribute(name="origin", type=String(), doc="Only those whose `origin` is this."),
        Attribute(name="state", type=String(), doc="Only those whose `state` is this."),
    ),
    attributes=(
        Attribute(
            name="savepoint_id",
            type=String(),
            doc="Its id, which a job's `restore_from` takes.",
            origin=Origin.COMPUTED,
            path="savepointId",
        ),
        Attribute(
            name="deployment_id", type=String(), doc="The job it is of.", origin=Origin.COMPUTED, path="deploymentId"
        ),
        Attribute(name="job_id", type=String(), doc="The run that left it.", origin=Origin.COMPUTED, path="jobId"),
        Attribute(
            name="state",
            type=String(),
            doc="STARTED, COMPLETED or FAILED.",
            origin=Origin.COMPUTED,
            path="status.state",
        ),
        Attribute(
            name="origin",
            type=String(),
            doc="Why it was taken, such as USER_REQUEST.",
            origin=Origin.COMPUTED,
            path="savepointOrigin",
        ),
        Attribute(
            name="location", type=String(), doc="Where its files are.", origin=Origin.COMPUTED, path="savepointLocation"
        ),
        Attribute(name="description", type=String(), doc="For people.", origin=Origin.COMPUTED, path="description"),
        Attribute(
            name="created_at",
            type=Number(),
            doc="When, in seconds since 1970.",
            origin=Origin.COMPUTED,
            path="createdAt",
        ),
    ),
    example="""
data "flink_savepoints" "bids_per_minute" {
  workspace     = flink_workspace.main.resource_id
  namespace     = flink_namespace.bids.name
  deployment_id = flink_job.bids_per_minute.deployment_id
}
""",
)
