"""Where a request plays: the workspace of its header and the namespace of its path, which must both be there."""

from __future__ import annotations

from sqlalchemy import Connection

from flinkform.controlplane.api.call import Params
from flinkform.controlplane.store import instances, namespaces
from flinkform.controlplane.store.namespaces import Namespace
from flinkform.errors import Conflict


def namespace(db: Connection, params: Params) -> Namespace:
    """Return the namespace a request is for; NotFound says whether the workspace or the namespace is missing."""
    instances.by_workspace(db, params["workspace"])
    return namespaces.within(db, params["workspace"], params["namespace"])


def usable(db: Connection, params: Params) -> Namespace:
    """Return the namespace if things may be made in it; Conflict while it is being made or goes away."""
    found = namespace(db, params)
    if found.status not in ("SUCCESS", "MODIFYING"):
        raise Conflict(f"expected namespace {found.name} in SUCCESS, got {found.status}", advice="wait until it is")
    return found
