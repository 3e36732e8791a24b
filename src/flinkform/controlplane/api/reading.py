"""Reads a request's body, never more of it than is allowed."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

from flinkform.controlplane.api.failures import refused


async def read_body(incoming: Request, limit: int) -> bytes:
    """Return the body; Refused (413) beyond *limit* bytes, announced or not."""
    announced = incoming.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_long(limit)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in incoming.stream():
            size += len(part)
            if size > limit:
                raise _too_long(limit)
            parts.append(part)
    except ClientDisconnect:
        raise refused("the caller left before its request was read", code="RequestTimeout", status=408) from None
    return b"".join(parts)


def _too_long(limit: int) -> Exception:
    return refused(f"expected a body of at most {limit} bytes", code="RequestEntityTooLarge", status=413)
