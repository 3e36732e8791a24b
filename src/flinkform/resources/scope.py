"""What every noun of a namespace begins with: its id, and where it is."""

from __future__ import annotations

from flinkform.schema.model import Attribute, Change, Origin
from flinkform.schema.types import String


def within(own: str) -> tuple[Attribute, ...]:
    """Return id, workspace and namespace of a type that its attribute *own* tells apart in its namespace."""
    return (
        Attribute(
            name="id",
            type=String(),
            doc=f"`<workspace>/<namespace>/<{own}>`.",
            origin=Origin.COMPUTED,
            stable=True,
        ),
        Attribute(
            name="workspace",
            type=String(),
            doc="The workspace's `resource_id`.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="workspace",
        ),
        Attribute(
            name="namespace",
            type=String(),
            doc="The namespace's name.",
            origin=Origin.REQUIRED,
            change=Change.REPLACE,
            path="namespace",
        ),
    )
