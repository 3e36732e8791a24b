"""From what went wrong on the way, or in the answer, to the one tree of failures."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException
from urllib.parse import urlsplit

from flinkform.client import proxy
from flinkform.client.credentials import Credentials
from flinkform.client.retry import Failure
from flinkform.errors import Conflict, Denied, FlinkformError, NotFound, Refused, Throttled, Unavailable
from flinkform.openapi import envelope
from flinkform.openapi.operation import Operation

_DENIED = ("SignatureDoesNotMatch", "IncompleteSignature", "SignatureNonceUsed", "Forbidden", "NoPermission")
_KEY = ("InvalidAccessKeyId", "InvalidSecurityToken", "MissingSecurityToken", "InvalidTimeStamp")
_UNKNOWN_CALL = ("InvalidAction", "InvalidApi", "InvalidVersion")
_ABSENT = ("EntityNotExist", "EntityNotExists", "NotFound")
_PASSING = ("998001", "ServiceUnavailable", "InternalError")
"""Codes that say nothing about the request: what stands behind the API failed (998001: "Invoke ABM failed")."""


def unreachable(url: str, error: OSError) -> Failure:
    """Return what a connection that never came about means: nothing was sent."""
    host = urlsplit(url).hostname or ""
    advice = "check the region, the endpoint and the network"
    if isinstance(error, ssl.SSLError):
        advice = "check the endpoint and this machine's certificates"
    elif proxy.local(host):
        advice = "start the control plane with `flinkform up`"
    failed = Unavailable(f"cannot connect to {url}: {_reason(error)}", advice=advice)
    return Failure(error=failed, again=not isinstance(error, ssl.SSLError), executed=False)


def lost(url: str, operation: Operation, error: OSError | HTTPException) -> Failure:
    """Return what an answer that did not come means: the request may have been carried out."""
    doubt = "" if operation.idempotent else "; it may have been carried out all the same"
    return Failure(error=Unavailable(f"{operation.name}: no answer from {url}: {_reason(error)}{doubt}"), again=True)


def refused(error: Refused, headers: Mapping[str, str], *, url: str, credentials: Credentials) -> Failure:
    """Return what an error that the API reported means, whichever channel it came through."""
    after = envelope.retry_after(headers)
    if _throttled(error, after):
        slow = Throttled(
            error.message, operation=error.operation, code=error.code, status=error.status, request_id=error.request_id
        )
        return Failure(error=slow, again=True, executed=False, throttled=True, after=after)
    if error.code in _PASSING or error.status in (500, 502, 503, 504):
        return Failure(error=Unavailable(f"{url} is not able to answer: {error}"), again=True, after=after)
    return Failure(error=_named(error, credentials))


def _throttled(error: Refused, after: float | None) -> bool:
    complaint = "Throttling" in error.code or error.status == 429
    return complaint or (after is not None and error.status >= 400 and error.status != 503)


def _named(error: Refused, credentials: Credentials) -> FlinkformError:
    code = error.code
    if code.startswith((*_DENIED, *_KEY)) or (error.status in (401, 403) and not code.startswith(_UNKNOWN_CALL)):
        advice = f"it was signed with the key {credentials.key_id} from {credentials.source}"
        if code.startswith("InvalidTimeStamp"):
            advice += "; set this machine's clock"
        return Denied(str(error), advice=advice)
    if code.startswith("OperationConflict"):
        return Conflict(str(error))
    if code == envelope.NOT_FOUND or (code.endswith(_ABSENT) and not code.startswith(_UNKNOWN_CALL)):
        return NotFound(str(error))
    return error


def _reason(error: OSError | HTTPException) -> str:
    if isinstance(error, socket.gaierror):
        return "the host name is not known"
    if isinstance(error, TimeoutError):
        return "timed out"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__).lower()
