"""Regions: where workspaces can be."""

from __future__ import annotations

from flinkform.schema.model import Attribute, Call, DataSource, Origin
from flinkform.schema.types import String

DATA_SOURCE = DataSource(
    name="regions",
    plural="regions",
    doc="The regions of the account.",
    list=Call(operation="DescribeSupportedRegions"),
    items="Regions",
    arguments=(Attribute(name="name", type=String(), doc="Only those whose `name` is this."),),
    attributes=(
        Attribute(name="name", type=String(), doc="Its id, as `cn-hangzhou`.", origin=Origin.COMPUTED, path="Region"),
        Attribute(name="title", type=String(), doc="What people call it.", origin=Origin.COMPUTED, path="RegionName"),
        Attribute(
            name="description",
            type=String(),
            doc="What there is to say of it.",
            origin=Origin.COMPUTED,
            path="Description",
        ),
    ),
    example="""
data "flink_regions" "all" {
}
""",
)
