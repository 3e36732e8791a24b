"""One way for every operation: verify, find, decode, check, call its handler, wrap the answer.

Errors are turned into answers here and nowhere else.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from flinkform.controlplane.api import access, failures, rights, shape, trail, unanswered
from flinkform.controlplane.api.call import Call, Listed, Services
from flinkform.controlplane.api.failures import refused
from flinkform.controlplane.api.handlers import HANDLERS
from flinkform.controlplane.api.reading import read_body
from flinkform.controlplane.api.rights import Identity
from flinkform.errors import Forbidden, Refused
from flinkform.openapi import envelope, request, route
from flinkform.openapi.operation import Operation

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it arrived: *target* is the undecoded path with its query, header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    request_id: str

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


_UNSAID = {"HotUpdateJob": "HotUpdateJobParams"}
"""Bodies that no SDK sends and no document names, though their answer echoes them."""


class Gateway:
    """Answers the API's requests; *endpoint* is what the server calls."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._replays = access.Replays(services)

    async def endpoint(self, incoming: Request) -> Response:
        """Read a request, answer it in a thread, and say so in the log."""
        began = time.perf_counter()
        request_id = str(uuid.uuid4()).upper()
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        try:
            body = await read_body(incoming, self._services.settings.body_limit)
            asked = Asked(
                method=incoming.method, target=_target(incoming), headers=headers, body=body, request_id=request_id
            )
            status, answer = await run_in_threadpool(self.answer, asked)
        except Refused as error:
            status, answer = _failed(error, None, request_id=request_id, host=headers.get("host", ""))
        took = round((time.perf_counter() - began) * 1000, 1)
        log.debug("answered", extra={"request_id": request_id, "status": status, "milliseconds": took})
        sent = {"x-acs-request-id": request_id, "content-type": "application/json;charset=utf-8"}
        return Response(orjson.dumps(answer), status, sent)

    def answer(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        """Return HTTP status and body of the answer to one request."""
        found: Operation | None = None
        asker: access.Asker | None = None
        try:
            asker = access.signed(
                self._services,
                self._replays,
                method=asked.method,
                target=asked.target,
                headers=asked.headers,
                body=asked.body,
            )
            found, path_params = route.match(asked.method, asked.path, action=asker.action)
            return 200, self._carry_out(asked, found, path_params, asker)
        except Exception as error:  # noqa: BLE001 -- the edge of the server: what is not a deliberate failure is a bug
            if asker is not None and asker.nonce is not None and found is not None and not found.reads:
                self._replays.failed(asker.nonce)
            return _failed(error, found, request_id=asked.request_id, host=asked.headers.get("host", ""))

    def _carry_out(
        self, asked: Asked, found: Operation, path_params: Mapping[str, str], asker: access.Asker
    ) -> dict[str, Any]:
        identity = asker.identity
        params, body = request.parse(found, path_params, query=asked.query, headers=asked.headers, body=asked.body)
        left = None
        if not found.reads:
            left = trail.begun(
                identity,
                found,
                params,
                body,
                request_id=asked.request_id,
                now=self._services.now,
                nonce=asker.nonce,
            )
        self._allow(identity, found, params, left)
        handler = HANDLERS.get(found.name)
        if handler is None:
            raise refused(
                f"{found.name} is not answered by the embedded control plane: {unanswered.reason(found.name)}",
                code="InvalidAction.NotSupported",
            )
        body = _checked(found, params, body)
        call = Call(
            services=self._services,
            operation=found,
            principal=identity.principal,
            request_id=asked.request_id,
            trail=left,
            host=f"{asked.headers.get('x-forwarded-proto', 'http')}://{asked.headers.get('host', '')}",
        )
        answer = handler(call, params, body)
        if left is not None:
            self._write(left)  # for a change that needed no transaction
            said = {"operation": found.name, "principal": identity.principal, "request_id": asked.request_id}
            log.info("carried out", extra=said)
        return _wrapped(found, answer, asked.request_id)

    def _allow(self, identity: Identity, found: Operation, params: Mapping[str, Any], left: trail.Trail | None) -> None:
        """Refuse what nobody allowed; an attempt to change something is told to the audit log."""
        try:
            rights.check(self._services.store, identity, found, params, region=self._services.settings.region)
        except Forbidden:
            if left is not None:
                left.outcome = "denied"
                self._write(left)
            raise

    def _write(self, left: trail.Trail) -> None:
        if not left.written:
            with self._services.store.noting(left.write, first=left.spend).write():
                pass


def _checked(found: Operation, params: Mapping[str, Any], body: Any) -> Any:
    """Return the body, having refused it or parameters of the wrong shape. Only to an update a null means something."""
    shape.storable(dict(params))
    shape.storable(body)
    for field in (*found.query, *found.form):
        if field.name in params and not field.scalar:
            shape.check(params[field.name], field.type, found.product, at=(field.name,))
    model = found.body or _UNSAID.get(found.name)
    if not model or (body is None and not found.body):
        return None
    if body is None:
        raise shape.missing("a JSON body")
    shape.check(body, model, found.product)
    return body if found.method in ("PUT", "PATCH") else shape.dense(body)


def _wrapped(found: Operation, answer: Any, request_id: str) -> dict[str, Any]:
    if isinstance(answer, Listed):
        page = answer.window
        return envelope.page(
            found, answer.items, index=page.index, size=page.size, total=answer.total, request_id=request_id
        )
    if found.rpc:
        return envelope.success(found, request_id=request_id, **answer)
    return envelope.success(found, request_id=request_id, data=answer)


def _failed(error: Exception, found: Operation | None, *, request_id: str, host: str) -> tuple[int, dict[str, Any]]:
    """Return the answer to a request that failed, in the channel that its kind of failure goes through."""
    failure = failures.told(error, rpc=found is None or found.rpc, request_id=request_id)
    said = {"operation": found.name if found else "", "code": failure.code, "request_id": request_id}
    if failure.status == failures.BUG:
        log.error("bug", extra=said, exc_info=error)
    else:
        log.info("refused", extra=said)
    if failure.business:
        return failure.status, envelope.failure(code=failure.code, message=failure.message, request_id=request_id)
    body = envelope.rejection(code=failure.code, message=failure.message, request_id=request_id, host=host)
    return failure.status, body | ({"AccessDeniedDetail": _denied(error)} if isinstance(error, Forbidden) else {})


def _denied(error: Forbidden) -> dict[str, str]:
    """Return what the SDKs know as the detail of a refusal; the public gateway writes some fields more."""
    return {
        "AuthAction": error.action,
        "NoPermissionType": error.reason,
        "PolicyType": "Custom",
    }


def _target(incoming: Request) -> str:
    """Return path and query as they stood in the request line: names in a path may hold `%2F`."""
    raw: bytes = incoming.scope.get("raw_path") or incoming.scope["path"].encode()
    query: bytes = incoming.scope["query_string"]
    return (raw.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")
