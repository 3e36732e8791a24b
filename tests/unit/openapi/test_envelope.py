"""Answers: what the server builds, the client reads."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flinkform.errors import Invalid, Refused
from flinkform.openapi import envelope
from flinkform.openapi.operation import Operation, names, operation
from flinkform.schema.document import get

PAGED = [name for name in names() if envelope.paging(operation(name))]


def read(found: Operation, body: Any, status: int = 200, **headers: str) -> dict[str, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return envelope.read(found, status=status, headers=headers, body=content)


@pytest.mark.parametrize("name", names())
def test_success(name: str) -> None:
    """The answer of every operation reads as success, with the request's id; a deletion's has no data."""
    found = operation(name)
    answer = read(found, envelope.success(found, request_id="r", data={"a": 1}))
    assert answer.get("data") == ({"a": 1} if found.data else None)
    assert answer["RequestId" if found.rpc else "requestId"] == "r"


@pytest.mark.parametrize("name", PAGED)
def test_pages(name: str) -> None:
    """Each style of paging puts items and total where its reader looks."""
    found = operation(name)
    style = envelope.paging(found)
    assert style is not None
    answer = envelope.page(found, [{"a": 1}], index=2, size=1, total=3, request_id="r")
    assert get(answer, style.items) == [{"a": 1}]
    assert int(get(answer, style.total)) == 3
    assert envelope.items_place(found) == style.items
    known = {field.name for field in found.answer} | {"requestId", "success", "httpCode", "errorCode", "errorMessage"}
    assert set(answer) <= known | {"RequestId", "Success"}


def test_all_styles_are_known() -> None:
    """Every operation that takes a number of a page is among those that page."""
    numbers = {"pageIndex", "PageIndex", "pageNumber", "page"}
    assert {n for n in names() if numbers & set(operation(n).fields)} == set(PAGED)


def test_odd_pages() -> None:
    """Numbers as text, and items inside `data`, as the public API has them."""
    found = operation("ListEditableNamespace")
    answer = envelope.page(found, [], index=1, size=10, total=0, request_id="r")
    assert answer["data"] == {"editableNamespaces": [], "pageIndex": "1", "pageSize": "10", "total": "0"}
    answer = envelope.page(operation("DescribeInstances"), [], index=1, size=10, total=11, request_id="r")
    assert answer["TotalPage"] == 2


def test_asked() -> None:
    """Number and size of a page have the API's defaults and limits."""
    found = operation("ListDeployments")
    assert envelope.asked(found, {}) == (1, 10)
    assert envelope.asked(found, {"pageIndex": 3, "pageSize": 100}) == (3, 100)
    assert envelope.asked(operation("ListEditableNamespace"), {"pageIndex": "2"}) == (2, 10)
    for wrong in ({"pageSize": 101}, {"pageSize": 0}, {"pageIndex": -1}, {"pageIndex": "x"}, {"pageIndex": "²"}):
        with pytest.raises(Invalid):
            envelope.asked(found, wrong)
    with pytest.raises(Invalid, match="no pages"):
        envelope.asked(operation("GetJob"), {})


@pytest.mark.parametrize(
    ("status", "body", "code", "message", "request_id"),
    [
        (200, envelope.failure(code="990301", message="gone", request_id="r"), "990301", "gone", "r"),
        (404, envelope.rejection(code="X", message="m", request_id="r", host="h"), "X", "m", "r"),
        (400, {"code": "x", "message": "m", "requestId": "r"}, "x", "m", "r"),
        (200, {"Success": False, "RequestId": "r", "ErrCode": "e"}, "e", "the API gave no reason", "r"),
        (200, {"success": False, "reason": "why", "message": "m"}, "why", "m", "h-1"),
        (418, {}, "HTTP 418", "the API gave no reason", "h-1"),
        (200, b"", "NotJson", "expected a JSON object, got HTTP 200 with 0 bytes", "h-1"),
        (502, b"<html>", "NotJson", "expected a JSON object, got HTTP 502 with 6 bytes", "h-1"),
        (200, b"[" * 100_000, "NotJson", "expected a JSON object, got HTTP 200 with 100000 bytes", "h-1"),
    ],
)
def test_errors(status: int, body: Any, code: str, message: str, request_id: str) -> None:
    """Both channels, and what is no answer at all, come out as one kind of error with code and request id."""
    with pytest.raises(Refused) as caught:
        read(operation("GetJob"), body, status, **{"x-acs-request-id": "h-1"})
    error = caught.value
    assert (error.operation, error.status, error.code) == ("GetJob", status, code)
    assert (error.message, error.request_id) == (message, request_id)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x-acs-retry-after": "1500"}, 1.5),
        ({"retry-after": "2"}, 2.0),
        ({"x-acs-retry-after": "0", "retry-after": "3"}, 3.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """One header counts milliseconds, the other seconds."""
    assert envelope.retry_after(headers) == seconds
