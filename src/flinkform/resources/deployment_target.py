"""Deployment targets: queues that jobs take their resources from."""

from __future__ import annotations

from flinkform.resources.scope import within
from flinkform.schema.codec import Gibibytes
from flinkform.schema.model import Api, Attribute, Call, Change, Origin, Resource
from flinkform.schema.types import Number, String

RESOURCE = Resource(
    name="deployment_target",
    doc="A queue: a share of a namespace that jobs take their resources from.",
    key=("workspace", "namespace", "name"),
    kept=True,
    api=Api(
        create=Call(
            operation="CreateDeploymentTarget",
            places={"name": "deploymentTargetName", "cpu": "cpu", "memory": "memory"},
        ),
        list=Call(operation="ListDeploymentTargets"),
        update=Call(
            operation="UpdateDeploymentTarget",
            places={"name": "deploymentTargetName", "cpu": "cpu", "memory": "memory"},
        ),
        delete=Call(operation="DeleteDeploymentTarget", places={"name": "deploymentTargetName"}),
        items="data",
        answer="data",
    ),
    attributes=(
        *within("name"),
        Attribute(
            name="name",
            type=String(
                pattern=r"[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?", hint="lower-case letters, digits and '-', at most 63"
            ),
            doc="Unique within the namespace; `default-queue` is there already.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="name",
        ),
        Attribute(
            name="cpu",
            type=Number(at_least=0.1, whole=False),
            doc="Cores that its jobs may use together.",
            origin=Origin.REQUIRED,
            path="quota.limit.cpu",
        ),
        Attribute(
            name="memory",
            type=String(pattern=r"\d+(\.\d+)?Gi", hint="an amount such as 16Gi"),
            doc="Memory that its jobs may use together.",
            origin=Origin.REQUIRED,
            path="quota.limit.memory",
            codec=Gibibytes(),
        ),
    ),
    example="""
resource "flink_deployment_target" "batch" {
  workspace = flink_workspace.main.resource_id
  namespace = flink_namespace.bids.name
  name      = "batch"
  cpu       = 2
  memory    = "8Gi"
}
""",
)
