"""Members: who may do what in a namespace."""

from __future__ import annotations

from flinkform.resources.scope import within
from flinkform.schema.model import Api, Attribute, Call, Change, Origin, Resource
from flinkform.schema.types import String

RESOURCE = Resource(
    name="member",
    doc="A user or role with access to a namespace.",
    key=("workspace", "namespace", "member"),
    kept=True,
    api=Api(
        create=Call(operation="CreateMember"),
        read=Call(operation="GetMember"),
        list=Call(operation="ListMembers"),
        update=Call(operation="UpdateMember"),
        delete=Call(operation="DeleteMember"),
        items="data",
        answer="data",
    ),
    attributes=(
        *within("member"),
        Attribute(
            name="member",
            type=String(pattern=r"[A-Za-z0-9][A-Za-z0-9_.:@\-]{0,127}", hint="an id such as user:181319557522"),
            doc="Whose access it is: the id of a RAM user or role, or of an access key.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="member",
        ),
        Attribute(
            name="role",
            type=String(choices=("VIEWER", "EDITOR", "ADMIN")),
            doc="What it may do: look, work with jobs, or also let others in.",
            default="VIEWER",
            path="role",
        ),
    ),
    example="""
resource "flink_member" "analyst" {
  workspace = flink_workspace.main.resource_id
  namespace = flink_namespace.bids.name
  member    = "user:181319557522"
  role      = "EDITOR"
}
""",
)
