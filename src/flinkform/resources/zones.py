"""Zones: the parts of a region."""

from __future__ import annotations

from flinkform.schema.model import Attribute, Call, DataSource, Origin
from flinkform.schema.types import String

DATA_SOURCE = DataSource(
    name="zones",
    plural="zones",
    doc="The zones of a region.",
    list=Call(operation="DescribeSupportedZones", places={"region": "Region", "architecture": "ArchitectureType"}),
    items="ZoneIds",
    arguments=(
        Attribute(name="region", type=String(), doc="The region; the provider's if unset."),
        Attribute(name="architecture", type=String(choices=("X86", "ARM")), doc="Only zones that have such machines."),
    ),
    attributes=(
        Attribute(name="name", type=String(), doc="Its id, as `cn-hangzhou-a`.", origin=Origin.COMPUTED, path="name"),
    ),
    example="""
data "flink_zones" "all" {
}
""",
)
