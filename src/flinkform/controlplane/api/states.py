"""Terraform's `http` state backend, with locks and versions, and what `flinkform state` asks for.

Statuses are what Terraform's client expects: 423 with the lock's own document where somebody else holds it, 404
where there is no state yet. A write under a lock must name it (`?ID=`); one that names a lock which is gone was
overtaken, and is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from flinkform.controlplane.api import access
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.api.plain import answered, guarded
from flinkform.controlplane.api.reading import read_body
from flinkform.controlplane.api.rights import Identity
from flinkform.controlplane.api.trail import Trail
from flinkform.controlplane.store import states
from flinkform.controlplane.store.states import Lock, Version
from flinkform.errors import Conflict, Invalid, NotFound

log = logging.getLogger(__name__)

_ACTIONS = {"GET": "Read", "POST": "Write", "DELETE": "Delete", "LOCK": "Lock", "UNLOCK": "Unlock"}
_LOCKED = 423
_LOCK_BYTES = 64 * 1024


class Backend:
    """The states of one control plane; their address is `environment/stack`."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._verbs: Mapping[str, Callable[[str, str | None, bytes, Request], Response]] = {
            "GET": self._read,
            "POST": self._write,
            "DELETE": self._remove,
            "LOCK": self._lock,
            "UNLOCK": self._unlock,
        }

    async def endpoint(self, incoming: Request) -> Response:
        """Answer Terraform; the body is only read once the caller is known."""
        return await guarded(self._answer, incoming)

    async def _answer(self, incoming: Request) -> Response:
        address = "{environment}/{stack}".format(**incoming.path_params)
        action = f"{_ACTIONS[incoming.method]}State"
        services = self._services
        identity = await run_in_threadpool(access.admitted, services, incoming.headers, action, f"state/{address}")
        incoming.state.trail = self._trail(identity, action, address)
        limit = self._services.settings.state_limit if incoming.method == "POST" else _LOCK_BYTES
        body = await read_body(incoming, limit)
        lock_id = incoming.query_params.get("ID")
        answer = await run_in_threadpool(self._verbs[incoming.method], address, lock_id, body, incoming)
        if incoming.method != "GET":
            said = {"verb": incoming.method, "address": address, "status": answer.status_code}
            log.info("state", extra={**said, "principal": identity.principal})
        return answer

    def _trail(self, identity: Identity, action: str, address: str) -> Trail:
        now, request_id = self._services.now, str(uuid.uuid4())
        return Trail(identity=identity, operation=action, request_id=request_id, now=now, where={"state": address})

    def _read(self, address: str, _lock_id: str | None, _body: bytes, _incoming: Request) -> Response:
        with self._services.store.read() as db:
            content = states.read(db, address)
        if content is None:
            raise NotFound(f"no state at {address} yet")
        digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        return Response(content, headers={"content-type": "application/json", "content-md5": digest})

    def _write(self, address: str, lock_id: str | None, body: bytes, incoming: Request) -> Response:
        _same(body, incoming.headers.get("content-md5", ""))
        state = _state(body)
        serial, lineage = int(state.get("serial", 0)), str(state.get("lineage", ""))
        with self._services.store.write() as db:
            held = states.lock_of(db, address)
            if (refusal := _overtaken(address, held, lock_id)) is not None:
                return refusal
            states.write(db, address, body, serial=serial, lineage=lineage, now=self._services.now, lock_id=lock_id)
            incoming.state.trail.write(db)
        return answered({})

    def _remove(self, address: str, lock_id: str | None, _body: bytes, incoming: Request) -> Response:
        with self._services.store.write() as db:
            held = states.lock_of(db, address)
            if (refusal := _overtaken(address, held, lock_id)) is not None:
                return refusal
            states.remove(db, address, lock_id=lock_id)
            incoming.state.trail.write(db)
        return answered({})

    def _lock(self, address: str, _lock_id: str | None, body: bytes, _incoming: Request) -> Response:
        document = _document(body)
        lock_id = document.get("ID")
        if not isinstance(lock_id, str) or not lock_id:
            raise Invalid("expected a lock document with an ID")
        with self._services.store.write() as db:
            held = states.lock_of(db, address)
            if held is not None and held.id != lock_id:
                return _shown(held)
            states.lock(db, address, lock_id, document, now=self._services.now)
        return answered({})

    def _unlock(self, address: str, _lock_id: str | None, body: bytes, _incoming: Request) -> Response:
        """Give a lock back. `terraform force-unlock` sends no body at all: it means whatever lock there is."""
        lock_id = _document(body).get("ID") if body else None
        if body and (not isinstance(lock_id, str) or not lock_id):
            raise Invalid("expected the lock's ID", advice="run `flinkform state unlock` to break a lock")
        with self._services.store.write() as db:
            held = states.lock_of(db, address)
            if held is not None and lock_id is not None and held.id != lock_id:
                return _shown(held)
            if held is not None:
                states.unlock(db, address, lock_id)
        return answered({})

    def _held(self, lock: Lock | None) -> dict[str, Any] | None:
        """Return a lock as people see it; `seconds` ago its holder took it, or said that it is held still."""
        return None if lock is None else _lock_shown(lock, now=self._services.now)

    def listing(self, _incoming: Request) -> dict[str, Any]:
        """Return every state's newest version and its lock."""
        with self._services.store.read() as db:
            held = {one.address: one for one in states.locked(db)}
            kept = [{**_version(one), "lock": self._held(held.pop(one.address, None))} for one in states.every(db)]
        # Somebody's very first apply, or what is left of it: a lock without a state.
        return {"states": kept + [{**_version(_unwritten(one)), "lock": self._held(one)} for one in held.values()]}

    def versions(self, incoming: Request) -> dict[str, Any]:
        """Return what is kept of one state, newest first. NotFound: nothing."""
        address = _address(incoming)
        with self._services.store.read() as db:
            found = states.versions(db, address)
            lock = self._held(states.lock_of(db, address))
        if not found and lock is None:
            raise NotFound(f"no state at {address}")
        return {"address": address, "lock": lock, "versions": [_version(one) for one in found]}

    def restore(self, incoming: Request) -> dict[str, Any]:
        """Make an old version the newest, under a serial above all others, so that no plan takes it for outdated.

        NotFound: no such version. Conflict: somebody holds the lock.
        """
        address = _address(incoming)
        text = incoming.query_params.get("version", "")
        if not text.isdecimal():
            raise Invalid(f"expected ?version=NUMBER, got {text[:40]!r}")
        with self._services.store.write() as db:
            content = states.read(db, address, number=int(text))
            if content is None:
                raise NotFound(f"no version {text} of state {address}", advice="`flinkform state list` names them")
            state = _state(content)
            serial = states.versions(db, address)[0].serial + 1
            made = states.write(
                db,
                address,
                orjson.dumps({**state, "serial": serial}, option=orjson.OPT_INDENT_2),
                serial=serial,
                lineage=str(state.get("lineage", "")),
                now=self._services.now,
            )
            self._trail(incoming.state.identity, "RestoreState", address).write(db)
        log.info("state", extra={"verb": "RESTORE", "address": address, "version": text})
        return _version(made)

    def unlock(self, incoming: Request) -> dict[str, Any]:
        """Break a lock whose holder is dead; with `?id=` only that one. NotFound: there is none."""
        address = _address(incoming)
        with self._services.store.write() as db:
            held = self._held(states.lock_of(db, address))
            states.unlock(db, address, incoming.query_params.get("id"))
            self._trail(incoming.state.identity, "UnlockState", address).write(db)
        log.info("state", extra={"verb": "BREAK", "address": address})
        return {"address": address, "lock": held}


def _address(incoming: Request) -> str:
    return "{environment}/{stack}".format(**incoming.path_params)


def _overtaken(address: str, held: Lock | None, lock_id: str | None) -> Response | None:
    """Return the refusal of a change: by the holder of another lock, or by a holder whose lock was broken."""
    if held is not None and held.id != lock_id:
        return _shown(held)
    if held is None and lock_id:
        raise Conflict(f"state {address} is no longer locked by {lock_id[:80]}", advice="plan and apply again")
    return None


def _shown(held: Lock) -> Response:
    return answered(dict(held.document), status=_LOCKED)


def _same(body: bytes, sent: str) -> None:
    """Check Content-MD5, which Terraform sends with every write; Invalid if the body is another one."""
    if not sent:
        return
    try:
        wanted = base64.b64decode(sent, validate=True)
    except binascii.Error:
        wanted = b""
    if wanted != hashlib.md5(body, usedforsecurity=False).digest():
        raise Invalid("Content-MD5 is not the hash of the body", advice="the state was damaged on its way; try again")


def _state(body: bytes) -> dict[str, Any]:
    state = _document(body)
    if not isinstance(state.get("version"), int) or not isinstance(state.get("serial", 0), int):
        raise Invalid("expected a Terraform state, with version and serial")
    return state


def _document(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise Invalid("expected a JSON object as body")
    return found


def _version(one: Version) -> dict[str, Any]:
    return {
        "address": one.address,
        "version": one.number,
        "serial": one.serial,
        "lineage": one.lineage,
        "size": one.size,
        "created_at": one.created_at,
    }


def _unwritten(held: Lock) -> Version:
    return Version(held.address, 0, 0, "", "", 0, held.created_at)


def _lock_shown(held: Lock, *, now: int) -> dict[str, Any]:
    known = {name.lower(): held.document.get(name, "") for name in ("Who", "Operation", "Created")}
    return {"id": held.id, **known, "seconds": max(0, now - held.created_at) / 1000}
