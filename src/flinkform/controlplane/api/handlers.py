"""Every operation that is answered, by name."""

from __future__ import annotations

from collections.abc import Mapping

from flinkform.controlplane.api import (
    artifacts,
    billing,
    clusters,
    deployments,
    drafts,
    engines,
    folders,
    hotupdates,
    instances,
    jobs,
    namespaces,
    observations,
    queues,
    regions,
    savepoints,
    tags,
    variables,
    verdicts,
)
from flinkform.controlplane.api.call import Handler
from flinkform.controlplane.api.kept import Keeper, Rules
from flinkform.resources import RESOURCES

_RULES = {"variable": variables.RULES}
_OWN = {
    "deployment_target": queues.OPERATIONS,
    "draft": drafts.OPERATIONS,
    "folder": folders.OPERATIONS,
    "session_cluster": clusters.OPERATIONS,
}
"""Of the types that are only kept, those of which more holds than their declaration says."""

_KEPT = [_OWN.get(one.name) or Keeper(one, _RULES.get(one.name, Rules())).operations for one in RESOURCES if one.kept]

HANDLERS: Mapping[str, Handler] = {
    **{name: handler for answered in _KEPT for name, handler in answered.items()},
    **regions.OPERATIONS,
    **instances.OPERATIONS,
    **billing.OPERATIONS,
    **tags.OPERATIONS,
    **namespaces.OPERATIONS,
    **deployments.OPERATIONS,
    **jobs.OPERATIONS,
    **hotupdates.OPERATIONS,
    **savepoints.OPERATIONS,
    **engines.OPERATIONS,
    **observations.OPERATIONS,
    **artifacts.OPERATIONS,
    **verdicts.OPERATIONS,
}
