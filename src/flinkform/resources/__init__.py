"""Every Terraform type, one file each; the folder is the list."""

from __future__ import annotations

from flinkform.resources import engine_versions, job, jobs, namespace, workspace
from flinkform.schema.model import DataSource, Resource

RESOURCES: tuple[Resource, ...] = (workspace.RESOURCE, namespace.RESOURCE, job.RESOURCE)
DATA_SOURCES: tuple[DataSource, ...] = (engine_versions.DATA_SOURCE, jobs.DATA_SOURCE)
PROVIDER = "flinkform.io/flinkform/flink"
"""The provider's source address. Its host is only a name: packages come from a filesystem mirror."""
