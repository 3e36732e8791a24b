"""Every Terraform type, one file each; the folder is the list, from which `make generate` writes `every.py`."""

from __future__ import annotations

from flinkform.resources import every
from flinkform.schema import lookup
from flinkform.schema.model import DataSource, Resource

RESOURCES: tuple[Resource, ...] = every.RESOURCES
DATA_SOURCES: tuple[DataSource, ...] = (*every.DATA_SOURCES, *lookup.derived(every.RESOURCES, every.DATA_SOURCES))
PROVIDER = "flinkform.io/flinkform/flink"
"""The provider's source address. Its host is only a name: packages come from a filesystem mirror."""
