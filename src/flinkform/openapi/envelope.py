"""What the API answers: success, pages of a list, and its two error channels; built by the server, read by the client.

The gateway's channel is HTTP 4xx or 5xx with `Code` and `Message`. The operation's channel (ververica only) is
HTTP 200 with `success: false`, `errorCode` and `errorMessage`. Never mix them: the official SDKs lose the code and
the text of a 4xx that carries `errorCode`, and do not look at `success`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flinkform.errors import Invalid, Refused
from flinkform.openapi.operation import Operation

NOT_FOUND = "990301"
"""The one numeric code that is known of the public service: the thing does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """How one operation pages: its parameters, and the dotted places in the answer. *texts* has numbers as text."""

    index: str
    size: str
    items: str
    total: str
    default: int = 10
    most: int = 100
    texts: bool = False


_ODD = {
    "ListAutopilotTuningHistories": Paging(
        index="pageNumber", size="pageSize", items="data.tuningHistories", total="data.totalCount", default=20
    ),
    "ListPatrolReports": Paging(
        index="page", size="size", items="data.items", total="data.total", default=20, most=200
    ),
    "ListEditableNamespace": Paging(
        index="pageIndex", size="pageSize", items="data.editableNamespaces", total="data.total", texts=True
    ),
}


def paging(operation: Operation) -> Paging | None:
    """Return how *operation* pages, or `None` if its answer is always whole (or goes by `NextToken`)."""
    if operation.name in _ODD:
        return _ODD[operation.name]
    sent = {field.name for field in operation.query}
    if "pageIndex" in sent:
        return Paging(index="pageIndex", size="pageSize", items="data", total="totalSize")
    if "PageIndex" in sent:
        return Paging(index="PageIndex", size="PageSize", items=items_place(operation), total="TotalCount")
    return None


def items_place(operation: Operation) -> str:
    """Return where the items of a list stand in the answer: a dotted place, or nothing if this is no list."""
    if operation.name in _ODD:
        return _ODD[operation.name].items
    return next((field.name for field in operation.answer if field.item), "")


def asked(operation: Operation, params: Mapping[str, Any]) -> tuple[int, int]:
    """Return number and size of the page that *params* ask for. Raises `Invalid` for a page that cannot be."""
    style = paging(operation)
    if style is None:
        raise Invalid(f"{operation.name} has no pages")
    index = _count(params.get(style.index), 1, style.index)
    size = _count(params.get(style.size), style.default, style.size)
    if size > style.most:
        raise Invalid(f"expected {style.size} of at most {style.most}, got {size}", at=(style.size,))
    return index, size


def _count(value: Any, default: int, name: str) -> int:
    if value in (None, ""):
        return default
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise Invalid(f"expected {name} of at least 1, got {text[:20]!r}", at=(name,))
    return int(text)


def success(operation: Operation, *, request_id: str, data: Any = None, **fields: Any) -> dict[str, Any]:
    """Return the answer of an operation that did what it was asked; *fields* are those beside `data`."""
    if operation.rpc:
        return {"RequestId": request_id, "Success": True, **fields}
    usual = {"requestId": request_id, "success": True, "httpCode": 200, "errorCode": "", "errorMessage": ""}
    return usual | ({"data": data} if operation.data else {}) | fields


def page(
    operation: Operation, items: Sequence[Any], *, index: int, size: int, total: int, request_id: str
) -> dict[str, Any]:
    """Return one page of a list, in the manner of this *operation*."""
    style = paging(operation)
    if style is None:
        raise Invalid(f"{operation.name} has no pages")
    numbers: dict[str, Any] = {style.index: index, style.size: size, style.total.rpartition(".")[2]: total}
    if operation.rpc:
        numbers["TotalPage"] = -(-total // size)
    if style.texts:
        numbers = {name: str(number) for name, number in numbers.items()}
    outer, _, inner = style.items.rpartition(".")
    if outer:
        return success(operation, request_id=request_id, data={inner: list(items), **numbers})
    return success(operation, request_id=request_id, **{inner: list(items), **numbers})


def failure(*, code: str, message: str, request_id: str) -> dict[str, Any]:
    """Return the body of the operation's channel; it goes out with HTTP 200."""
    return {
        "requestId": request_id,
        "success": False,
        "httpCode": 200,
        "errorCode": code,
        "errorMessage": message,
    }


def rejection(*, code: str, message: str, request_id: str, host: str) -> dict[str, Any]:
    """Return the body of the gateway's channel; it goes out with HTTP 4xx or 5xx."""
    return {"RequestId": request_id, "HostId": host, "Code": code, "Message": message}


def read(operation: Operation, *, status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Return the whole answer if it says success. Header names are lower case.

    Raises `Refused` for an error in either channel, and for what is no answer of this API (code `NotJson`).
    """
    found = _object(body)
    request_id = headers.get("x-acs-request-id", "")
    if found is None:
        message = f"expected a JSON object, got HTTP {status} with {len(body)} bytes"
        raise Refused(message, operation=operation.name, code="NotJson", status=status, request_id=request_id)
    request_id = _first(found, "requestId", "RequestId", "request_id") or request_id
    refused = status >= 400 or found.get("success") is False or found.get("Success") is False
    if not refused:
        return found
    code = _first(found, "errorCode", "Code", "code", "ErrCode", "reason") or f"HTTP {status}"
    message = _first(found, "errorMessage", "Message", "message") or "the API gave no reason"
    raise Refused(message, operation=operation.name, code=code, status=status, request_id=request_id)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds after which the API wants to be asked again, or `None` if it does not say.

    `x-acs-retry-after` counts milliseconds, `Retry-After` seconds; a date there is not read.
    """
    for name, unit in (("x-acs-retry-after", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0:
            return int(text) / unit
    return None


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _first(found: Mapping[str, Any], *names: str) -> str:
    return next((str(found[name]) for name in names if found.get(name)), "")
