"""Workspaces: what the console calls an instance; namespaces and jobs live in one."""

from __future__ import annotations

from flinkform.schema.codec import ComputeUnits
from flinkform.schema.model import Api, Attribute, Call, Change, Moved, Origin, Resource, Wait
from flinkform.schema.types import ListOf, Number, String, name_type

RESOURCE = Resource(
    name="workspace",
    doc="A Realtime Compute workspace: compute that namespaces share.",
    key=("instance_id",),
    wait=Wait(attribute="status", pending=("CREATING", "MODIFYING"), done=("RUNNING",)),
    api=Api(
        create=Call(operation="CreateInstance", fixed={"ArchitectureType": "X86"}),
        list=Call(operation="DescribeInstances"),
        update=Call(operation="ModifyInstanceSpec", places={"instance_id": "InstanceId"}),
        delete=Call(operation="DeleteInstance", places={"instance_id": "InstanceId"}),
        items="Instances",
        answer="OrderInfo",
        tags="Tag",
    ),
    attributes=(
        Attribute(
            name="id",
            type=String(),
            doc="The instance id.",
            origin=Origin.COMPUTED,
            stable=True,
        ),
        Attribute(
            name="name",
            type=name_type(),
            doc="Shown in the console.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="InstanceName",
        ),
        Attribute(
            name="charge_type",
            type=String(choices=("POST", "PRE")),
            doc="How the workspace is paid: POST (as you go) or PRE (subscription).",
            default="POST",
            change=Change.REPLACE,
            path="ChargeType",
        ),
        Attribute(
            name="cpu",
            type=Number(at_least=1),
            doc="Cores to hold; each brings 4 GB of memory.",
            default=10,
            path="ResourceSpec",
            codec=ComputeUnits(),
        ),
        Attribute(
            name="vpc_id",
            type=String(),
            doc="The network the workspace joins.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="VpcId",
        ),
        Attribute(
            name="vswitch_ids",
            type=ListOf(String()),
            doc="The switches of that network.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="VSwitchIds",
        ),
        Attribute(
            name="bucket",
            type=String(),
            doc="The bucket that holds checkpoints, savepoints and artifacts.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="Storage.Oss.Bucket",
        ),
        Attribute(
            name="instance_id",
            type=String(),
            doc="The instance id, as the console's operations want it.",
            origin=Origin.COMPUTED,
            stable=True,
            path="InstanceId",
        ),
        Attribute(
            name="resource_id",
            type=String(),
            doc="The workspace id, as namespaces' and jobs' operations want it.",
            origin=Origin.COMPUTED,
            stable=True,
            path="ResourceId",
        ),
        Attribute(
            name="status",
            type=String(),
            doc="CREATING, RUNNING, MODIFYING or DELETING.",
            origin=Origin.COMPUTED,
            path="ClusterStatus",
        ),
    ),
    moved=(
        Moved(
            provider="alicloud",
            type="alicloud_realtime_compute_vvp_instance",
            places={
                "instance_id": "id",
                "name": "vvp_instance_name",
                "cpu": "resource_spec.0.cpu",
                "vpc_id": "vpc_id",
                "vswitch_ids": "vswitch_ids",
                "bucket": "storage.0.oss.0.bucket",
                "resource_id": "resource_id",
            },
        ),
    ),
    example="""
resource "flink_workspace" "main" {
  name        = "auction"
  cpu         = 20
  vpc_id      = "vpc-example"
  vswitch_ids = ["vsw-example"]
  bucket      = "auction-flink"
}
""",
)
