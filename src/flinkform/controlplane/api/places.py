"""Where a request plays: the workspace of its header and the namespace of its path, which must both be there."""

from __future__ import annotations

from sqlalchemy import Connection

from flinkform.controlplane.api.call import Params
from flinkform.controlplane.store import instances, namespaces
from flinkform.controlplane.store.namespaces import Namespace
from flinkform.errors import Conflict, NotFound


def namespace(db: Connection, params: Params) -> Namespace:
    """Return the namespace a request is for; NotFound says whether the workspace or the namespace is missing."""
    try:
        return namespaces.within(db, params["workspace"], params["namespace"])
    except NotFound:
        instances.by_workspace(db, params["workspace"])  # asked only here: nearly every request has both right
        raise


def usable(db: Connection, params: Params) -> Namespace:
    """Return the namespace if things may be made in it; Conflict while it is being made or goes away."""
    found = namespace(db, params)
    if found.status not in ("SUCCESS", "MODIFYING"):
        raise Conflict(f"expected namespace {found.name} in SUCCESS, got {found.status}", advice="wait until it is")
    return found
