"""Work that takes longer than a request may: it gets a ticket, by which its outcome is asked for."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from flinkform.controlplane.api import failures, places
from flinkform.controlplane.api.call import Call, Params
from flinkform.controlplane.store import things
from flinkform.controlplane.store.things import Thing

EXECUTING, FINISHED, FAILED = "EXECUTING", "FINISHED", "FAILED"
_LONGEST = 5 * 60_000
"""Milliseconds after which nobody works on a ticket any more: its control plane died."""
_KEPT = 24 * 3_600_000
_ALL = 10_000

log = logging.getLogger(__name__)

Work = Callable[[], dict[str, Any]]
WORKERS = ThreadPoolExecutor(2, "tickets")


def issue(call: Call, params: Params, kind: str, work: Work) -> dict[str, str]:
    """Have *work* done and return its ticket; what it returns is the outcome, with `success`."""
    with call.store.write() as db:
        namespace = places.usable(db, params)
        for old in things.page(db, kind, namespace.workspace, namespace.name, limit=_ALL).items:
            if old.created_at + _KEPT < call.now:
                things.remove(db, old)
        made = Thing(
            type=kind,
            workspace=namespace.workspace,
            namespace=namespace.name,
            id=(ticket := str(uuid.uuid4())),
            name=ticket,
            creator=call.principal,
            modifier=call.principal,
            created_at=call.now,
            modified_at=call.now,
            document={"ticketStatus": EXECUTING},
        )
        things.create(db, made)
    WORKERS.submit(_do, call, made, work)
    return {"ticketId": ticket}


def outcome(call: Call, params: Params, kind: str) -> Mapping[str, Any]:
    """Return what came of a ticket. NotFound: there is none, or it is older than a day."""
    with call.store.read() as db:
        namespace = places.namespace(db, params)
        found = things.get(db, kind, namespace.workspace, namespace.name, params["ticketId"])
    if found.document["ticketStatus"] == EXECUTING and found.created_at + _LONGEST < call.now:
        return _failed("the control plane ended meanwhile; ask again")
    return found.document


def _do(call: Call, ticket: Thing, work: Work) -> None:
    try:
        done = work()
        outcome = {**done, "ticketStatus": FINISHED if done["success"] else FAILED}
    except Exception as error:
        told = failures.told(error, rpc=False, request_id=call.request_id)
        if told.status == failures.BUG:
            log.exception("bug", extra={"request_id": call.request_id})
        outcome = _failed(told.message)
    with call.store.write() as db:
        things.replace(db, replace(ticket, document=outcome, modified_at=call.now))


def _failed(message: str) -> dict[str, Any]:
    return {"ticketStatus": FAILED, "success": False, "message": message}
