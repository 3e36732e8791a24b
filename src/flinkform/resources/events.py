"""Events: what happened to jobs, and who asked for it."""

from __future__ import annotations

from flinkform.schema.model import Attribute, Call, DataSource, Origin
from flinkform.schema.types import String

DATA_SOURCE = DataSource(
    name="events",
    plural="events",
    doc="What happened in a namespace, newest first.",
    list=Call(operation="GetEvents", places={"deployment_id": "deploymentId", "deployment_name": "deploymentName"}),
    items="data",
    arguments=(
        Attribute(name="workspace", type=String(), doc="The workspace's `resource_id`.", origin=Origin.REQUIRED),
        Attribute(name="namespace", type=String(), doc="The namespace's name.", origin=Origin.REQUIRED),
        Attribute(name="deployment_id", type=String(), doc="Only those of this job."),
        Attribute(name="deployment_name", type=String(), doc="Only those of the job of this name."),
        Attribute(name="event", type=String(), doc="Only those whose `event` is this."),
    ),
    attributes=(
        Attribute(name="event_id", type=String(), doc="Its id.", origin=Origin.COMPUTED, path="eventId"),
        Attribute(
            name="event", type=String(), doc="What happened, in a word.", origin=Origin.COMPUTED, path="eventName"
        ),
        Attribute(name="message", type=String(), doc="What happened, in full.", origin=Origin.COMPUTED, path="message"),
        Attribute(
            name="deployment_id", type=String(), doc="The job it is about.", origin=Origin.COMPUTED, path="deploymentId"
        ),
        Attribute(name="job_id", type=String(), doc="The run it is about.", origin=Origin.COMPUTED, path="jobId"),
        Attribute(
            name="created_at",
            type=String(),
            doc="When, in seconds since 1970.",
            origin=Origin.COMPUTED,
            path="createdAt",
        ),
    ),
    example="""
data "flink_events" "bids_per_minute" {
  workspace     = flink_workspace.main.resource_id
  namespace     = flink_namespace.bids.name
  deployment_id = flink_job.bids_per_minute.deployment_id
}
""",
)
