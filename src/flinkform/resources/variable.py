"""Variables: values that scripts and jobs name and do not hold, secret ones first of all."""

from __future__ import annotations

from flinkform.resources.scope import within
from flinkform.schema.model import Api, Attribute, Call, Change, Origin, Resource
from flinkform.schema.types import Number, String

RESOURCE = Resource(
    name="variable",
    doc="A value that scripts name and do not hold, such as a password.",
    key=("workspace", "namespace", "name"),
    kept=True,
    api=Api(
        create=Call(operation="CreateVariable"),
        list=Call(operation="ListVariables"),
        update=Call(operation="UpdateVariable"),
        delete=Call(operation="DeleteVariable"),
        items="data",
    ),
    attributes=(
        *within("name"),
        Attribute(
            name="name",
            type=String(pattern=r"[A-Za-z][A-Za-z0-9_\-]{0,63}", hint="a letter, then letters, digits, '_' and '-'"),
            doc="Unique within the namespace.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="name",
        ),
        Attribute(
            name="kind",
            type=String(choices=("Encrypted", "Clear")),
            doc="Encrypted is never told again; Clear is shown to who may look.",
            default="Encrypted",
            path="kind",
        ),
        Attribute(
            name="value",
            type=String(),
            doc="Sent when the variable is made or changed; in no plan and no state.",
            origin=Origin.REQUIRED,
            sensitive=True,
            write_only=True,
            path="value",
        ),
        Attribute(
            name="value_version",
            type=Number(at_least=1),
            doc="Raise it to have a new `value` sent, since nobody can see that it is another one.",
            default=1,
        ),
        Attribute(
            name="description",
            type=String(),
            doc="For people.",
            path="description",
        ),
    ),
    example="""
variable "database_password" {
  type      = string
  ephemeral = true
}

resource "flink_variable" "password" {
  workspace     = flink_workspace.main.resource_id
  namespace     = flink_namespace.bids.name
  name          = "database_password"
  value         = var.database_password
  value_version = 1
  description   = "Of the bids database."
}
""",
)
