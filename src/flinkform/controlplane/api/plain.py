"""Endpoints that are no part of the OpenAPI: plain JSON, plain statuses, HTTP basic where they tell anything."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from flinkform.controlplane.api import access, failures
from flinkform.controlplane.api.call import Services

log = logging.getLogger(__name__)

Plain = Callable[[Request], Awaitable[Response]]


def answered(value: Any, *, status: int = 200) -> Response:
    """Return *value* as JSON."""
    return Response(orjson.dumps(value), status, {"content-type": "application/json"})


async def guarded(answer: Plain, incoming: Request) -> Response:
    """Return the answer, or its failure as `{"error", "message"}` with the status of its kind."""
    request_id = str(uuid.uuid4())
    try:
        return await answer(incoming)
    except Exception as error:
        told = failures.told(error, rpc=True, request_id=request_id)
        if told.status == failures.BUG:
            log.exception("bug", extra={"request_id": request_id, "path": incoming.url.path})
        shown = answered({"error": told.code, "message": told.message}, status=told.status)
        if told.status == 401:
            shown.headers["www-authenticate"] = 'Basic realm="flinkform"'
        return shown


def private(services: Services, action: str, answer: Callable[[Request], dict[str, Any]], kind: str = "") -> Plain:
    """Return an endpoint that answers, in a thread, only who may do *action* with what the path names, a *kind*."""

    def known(incoming: Request) -> Response:
        place = "/".join((kind, *incoming.path_params.values())) if kind else ""
        incoming.state.identity = access.admitted(services, incoming.headers, action, place)
        return answered(answer(incoming))

    async def inner(incoming: Request) -> Response:
        return await run_in_threadpool(known, incoming)

    async def endpoint(incoming: Request) -> Response:
        return await guarded(inner, incoming)

    return endpoint
