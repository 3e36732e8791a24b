"""Every failure flinkform reports on purpose.

FlinkformError
  Invalid        the input breaks a rule its author can read and fix
    Unplanned    ... only of a compiled plan: Flink runs the script all the same
  NotFound       the named thing does not exist
  Conflict       it exists, but not in a state that allows this
  Denied         the caller is not who they say, or may not do this
  Unavailable    something we depend on did not answer; worth trying again
  Missing        a program or a package this needs is not on the machine
  Refused        the API answered with an error: operation, code, request id
    Throttled    ... because of its rate; worth trying again
    Forbidden    ... because the caller may not do this there
  JobFailed      a job did not reach the state it was sent to
    Unfit        ... because its saved state does not fit its definition
  TimedOut       waited as long as we were told to
  Interrupted    told to stop before it was done

Anything else that escapes is a bug in flinkform and is reported as one. Each edge maps
the tree once: HTTP in the control plane, diagnostics in the provider, exit codes in the CLI.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""An attribute path: a name, a map key or a list index a step."""

_FEW = 3


def few(names: Iterable[str], shown: int = _FEW) -> str:
    """Return how a message names many: the first ones, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - shown} more" if len(every) > shown else ""
    return ", ".join(every[:shown]) + more


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file a person wrote; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class FlinkformError(Exception):
    """Base of every deliberate failure.

    *at* is the attribute it is about, *position* the place in a file, *advice* what to do next, *parts* are the
    failures that this one sums up, *code* is a word for scripts where the class alone does not say which it is.
    """

    def __init__(
        self,
        message: str,
        *,
        at: Path = (),
        position: Position | None = None,
        advice: str = "",
        parts: Sequence[FlinkformError] = (),
        code: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.at = at
        self.position = position
        self.advice = advice
        self.parts = tuple(parts)
        self.code = code

    def __str__(self) -> str:
        where = f"{self.position}: " if self.position else ""
        # After several lines, advice at the end of the last one would read as a part of it.
        then = ("\n" if "\n" in self.message else "; ") + self.advice if self.advice else ""
        return f"{where}{self.message}{then}"


class Invalid(FlinkformError):
    """The input breaks a rule its author can read and fix."""


class Unplanned(Invalid):
    """Flink can run the script, but compiles no plan of it."""


class NotFound(FlinkformError):
    """The named thing does not exist."""


class Conflict(FlinkformError):
    """The thing exists, but not in a state that allows this."""


class Denied(FlinkformError):
    """The caller is not who they say, or may not do this."""


class Unavailable(FlinkformError):
    """Something we depend on did not answer; worth trying again."""


class Killed(Unavailable):
    """A program of ours was ended from outside, which says nothing about it."""


class Missing(FlinkformError):
    """A program or a package this needs is not on the machine."""


class Refused(FlinkformError):
    """The API answered with an error, through either of its two channels."""

    def __init__(
        self, message: str, *, operation: str, code: str, status: int, request_id: str, at: Path = (), advice: str = ""
    ) -> None:
        super().__init__(message, at=at, advice=advice, code=code)
        self.operation = operation
        self.status = status
        self.request_id = request_id

    def __str__(self) -> str:
        return f"{self.operation}: {super().__str__()} (code {self.code}, request {self.request_id})"


class Throttled(Refused):
    """The API refused because of its rate; worth trying again."""


class Forbidden(Refused):
    """The API refused because no policy allows *action*, or (*reason* ExplicitDeny) one denies it."""

    def __init__(
        self, message: str, *, operation: str, code: str, status: int, request_id: str, action: str, reason: str
    ) -> None:
        super().__init__(message, operation=operation, code=code, status=status, request_id=request_id)
        self.action = action
        self.reason = reason


class JobFailed(FlinkformError):
    """A job did not reach the state it was sent to."""


class Unfit(JobFailed):
    """A job did not start because the state it was to go on from does not fit its definition; *reason* says how."""

    def __init__(self, message: str, *, reason: str, at: Path = (), advice: str = "") -> None:
        super().__init__(message, at=at, advice=advice)
        self.reason = reason


class TimedOut(FlinkformError):
    """Waited as long as we were told to."""


class Interrupted(FlinkformError):
    """Told to stop before it was done."""
