"""Namespaces: a team's share of a workspace; jobs run in one."""

from __future__ import annotations

from flinkform.schema.codec import ComputeUnits
from flinkform.schema.model import Api, Attribute, Call, Change, Origin, Resource, Wait
from flinkform.schema.types import Bool, Number, String, name_type

RESOURCE = Resource(
    name="namespace",
    doc="A team's share of a workspace.",
    key=("workspace_id", "name"),
    wait=Wait(attribute="status", pending=("CREATING", "MODIFYING"), done=("SUCCESS",)),
    api=Api(
        create=Call(operation="CreateNamespace"),
        list=Call(operation="DescribeNamespaces", places={"name": "Namespace"}),
        update=Call(operation="ModifyNamespaceSpecV2", places={"cpu": "GuaranteedResourceSpec"}),
        delete=Call(operation="DeleteNamespace"),
        items="Namespaces",
    ),
    attributes=(
        Attribute(
            name="id",
            type=String(),
            doc="`<workspace_id>/<name>`.",
            origin=Origin.COMPUTED,
            stable=True,
        ),
        Attribute(
            name="workspace_id",
            type=String(),
            doc="The workspace's `id`.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="InstanceId",
        ),
        Attribute(
            name="name",
            type=name_type(),
            doc="Unique within the workspace.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="Namespace",
        ),
        Attribute(
            name="cpu",
            type=Number(at_least=1),
            doc="Cores the namespace may use; each brings 4 GB of memory.",
            default=4,
            path="ResourceSpec",
            codec=ComputeUnits(),
        ),
        Attribute(
            name="ha",
            type=Bool(),
            doc="Spread over two zones.",
            default=False,
            change=Change.REPLACE,
            path="Ha",
        ),
        Attribute(
            name="status",
            type=String(),
            doc="CREATING, MODIFYING, SUCCESS, FAILED or DELETING.",
            origin=Origin.COMPUTED,
            path="Status",
        ),
    ),
    example="""
resource "flink_namespace" "bids" {
  workspace_id = flink_workspace.main.id
  name         = "bids"
  cpu          = 8
}
""",
)
