"""From the tree of failures to the API's two error channels; nothing else here picks a code or a status.

Channel one is the gateway's: HTTP 4xx or 5xx with RequestId, HostId, Code and Message, for requests that never
reach an operation. Channel two is the operation's: HTTP 200 with success false, errorCode and errorMessage. The
console's operations have no second channel: theirs go through the first. A 4xx must never carry errorCode alone
(the official SDKs would lose code and text).
"""

from __future__ import annotations

from dataclasses import dataclass

from flinkform import errors
from flinkform.errors import FlinkformError, Refused
from flinkform.openapi.envelope import NOT_FOUND

_BUSINESS: tuple[tuple[type[FlinkformError], str, int], ...] = (
    (errors.NotFound, NOT_FOUND, 404),
    (errors.Conflict, "OperationConflict", 409),
    (errors.Invalid, "InvalidParameter", 400),
    (errors.Denied, "Forbidden", 403),
    (errors.Missing, "DependencyMissing", 409),
    (errors.JobFailed, "JobFailed", 409),
)
"""What an operation may fail with: class, errorCode, and the status where the gateway's channel must carry it."""

BUG = 500


def refused(message: str, *, code: str, status: int = 400, at: errors.Path = (), advice: str = "") -> Refused:
    """Return the error of a request that is turned away before any operation sees it."""
    return Refused(message, operation="", code=code, status=status, request_id="", at=at, advice=advice)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as it goes over the wire: in the gateway's channel, or (*business*) in the operation's."""

    status: int
    code: str
    message: str
    business: bool = False


def told(error: Exception, *, rpc: bool, request_id: str) -> Failure:
    """Return what the caller is told about *error*; of a bug only that it is one, and where to look."""
    if isinstance(error, Refused):
        return Failure(error.status, error.code, _text(error))
    if isinstance(error, errors.Unavailable | errors.TimedOut):
        return Failure(503, "ServiceUnavailable", _text(error))
    if isinstance(error, FlinkformError):
        for kind, code, status in _BUSINESS:
            if isinstance(error, kind):
                if rpc:
                    return Failure(status, _readable(code), _text(error))
                return Failure(200, code, _text(error), business=True)
    return Failure(BUG, "InternalError", f"a bug in flinkform; the control plane's log names request {request_id}")


def path_text(at: errors.Path) -> str:
    """Return a place in a body as JSON path: `artifact.sqlArtifact.sqlScript`, `labels[2].name`."""
    text = ""
    for step in at:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _text(error: FlinkformError) -> str:
    """Return the message with its place and advice; not str(), which in a Refused names an operation too."""
    where = f"{path_text(error.at)}: " if error.at else ""
    then = f"; {error.advice}" if error.advice else ""
    return f"{where}{error.message}{then}"


def _readable(code: str) -> str:
    """Return the code in the console's manner, which uses words."""
    return "EntityNotExist" if code == NOT_FOUND else code
