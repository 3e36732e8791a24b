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
from urllib.parse import parse_qs

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from flinkform.controlplane.api import access, failures, shape, unanswered
from flinkform.controlplane.api.call import Call, Listed, Services
from flinkform.controlplane.api.failures import refused
from flinkform.controlplane.api.handlers import HANDLERS
from flinkform.controlplane.api.reading import read_body
from flinkform.errors import Refused
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
        try:
            principal = access.signed(
                self._services,
                self._replays,
                method=asked.method,
                target=asked.target,
                headers=asked.headers,
                body=asked.body,
            )
            found, path_params = route.match(asked.method, asked.path, action=_action(asked))
            return 200, self._carry_out(asked, found, path_params, principal)
        except Exception as error:  # noqa: BLE001 -- the edge of the server: what is not a deliberate failure is a bug
            return _failed(error, found, request_id=asked.request_id, host=asked.headers.get("host", ""))

    def _carry_out(
        self, asked: Asked, found: Operation, path_params: Mapping[str, str], principal: str
    ) -> dict[str, Any]:
        handler = HANDLERS.get(found.name)
        if handler is None:
            raise refused(
                f"{found.name} is not answered by the embedded control plane: {unanswered.reason(found.name)}",
                code="InvalidAction.NotSupported",
            )
        params, body = request.parse(found, path_params, query=asked.query, headers=asked.headers, body=asked.body)
        body = _checked(found, params, body)
        call = Call(services=self._services, operation=found, principal=principal, request_id=asked.request_id)
        answer = handler(call, params, body)
        if found.method != "GET":
            said = {"operation": found.name, "principal": principal, "request_id": asked.request_id}
            log.info("carried out", extra=said)
        return _wrapped(found, answer, asked.request_id)


def _checked(found: Operation, params: Mapping[str, Any], body: Any) -> Any:
    """Return the body, having refused it or parameters of the wrong shape. Only to an update a null means something."""
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
    return failure.status, body


def _target(incoming: Request) -> str:
    """Return path and query as they stood in the request line: names in a path may hold `%2F`."""
    raw: bytes = incoming.scope.get("raw_path") or incoming.scope["path"].encode()
    query: bytes = incoming.scope["query_string"]
    return (raw.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")


def _action(asked: Asked) -> str:
    """Return the operation an RPC request names: in its header, else in its query or form, as old clients do."""
    if asked.path not in ("", "/") or (name := asked.headers.get("x-acs-action", "")):
        return asked.headers.get("x-acs-action", "")
    texts = (asked.query, asked.body.decode("latin-1"))
    return next((sent["Action"][0] for text in texts if (sent := _pairs(text)).get("Action")), name)


def _pairs(text: str) -> dict[str, list[str]]:
    try:
        return parse_qs(text, max_num_fields=request.PAIRS)
    except ValueError:
        return {}
