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
from flinkform.controlplane.api.kept import Keeper, Rules
from flinkform.resources import RESOURCES

RULES: Mapping[str, Rules] = {}
"""What holds for a kept type beyond its declaration."""

_KEPT = [Keeper(one, RULES.get(one.name, Rules())).operations for one in RESOURCES if one.kept]

HANDLERS: Mapping[str, Handler] = {
    **{name: handler for answered in _KEPT for name, handler in answered.items()},
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
