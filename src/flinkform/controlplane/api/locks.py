"""Who edits a draft now: a lock that its holder's work renews and that ends by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.api.call import Call
from flinkform.controlplane.store import things
from flinkform.controlplane.store.things import Thing
from flinkform.errors import Conflict

LASTS = 10 * 60_000
"""Milliseconds since its holder's last work that a lock is held."""
_TYPE = "draft_lock"


def take(call: Call, db: Connection, draft: Thing) -> Thing:
    """Return the lock of *draft*, held by who asks. Conflict: somebody else holds it."""
    found = things.find(db, _TYPE, draft.workspace, draft.namespace, draft.id)
    if found is None:
        made = replace(
            draft,
            type=_TYPE,
            name=draft.id,
            creator=call.principal,
            modifier=call.principal,
            created_at=call.now,
            modified_at=call.now,
            document={},
        )
        return things.create(db, made)
    if found.modifier != call.principal and not _over(call, found):
        left = -(-(found.modified_at + LASTS - call.now) // 60_000)
        raise Conflict(
            f"draft {draft.document['name']} is being edited by {found.modifier}",
            advice=f"ask them, or wait: their lock ends within {left} min of rest",
        )
    return things.replace(db, replace(found, modifier=call.principal, modified_at=call.now))


def held(call: Call, db: Connection, draft: Thing) -> dict[str, Any] | None:
    """Return the lock of *draft* as the API shows it, if anybody holds it."""
    found = things.find(db, _TYPE, draft.workspace, draft.namespace, draft.id)
    return shown(found) if found and not _over(call, found) else None


def shown(lock: Thing) -> dict[str, Any]:
    return {
        "id": lock.id,
        "holderId": lock.modifier,
        "holderName": lock.modifier,
        "namespace": lock.namespace,
        "workspace": lock.workspace,
    }


def drop(db: Connection, draft: Thing) -> None:
    """Forget the lock of a draft that goes."""
    things.remove(db, replace(draft, type=_TYPE))


def _over(call: Call, lock: Thing) -> bool:
    return lock.modified_at + LASTS <= call.now
