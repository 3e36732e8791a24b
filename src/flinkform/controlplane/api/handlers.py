"""Every operation that is answered, by name."""

from __future__ import annotations

from collections.abc import Mapping

from flinkform.controlplane.api import (
    deployments,
    engines,
    hotupdates,
    instances,
    jobs,
    namespaces,
    observations,
    regions,
    savepoints,
    verdicts,
)
from flinkform.controlplane.api.call import Handler

HANDLERS: Mapping[str, Handler] = {
    **regions.OPERATIONS,
    **instances.OPERATIONS,
    **namespaces.OPERATIONS,
    **deployments.OPERATIONS,
    **jobs.OPERATIONS,
    **hotupdates.OPERATIONS,
    **savepoints.OPERATIONS,
    **engines.OPERATIONS,
    **observations.OPERATIONS,
    **verdicts.OPERATIONS,
}
