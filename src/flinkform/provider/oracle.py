"""Asks the control plane what an edit does to a job's state, once a plan; not every control plane knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Any

from flinkform.errors import Denied, Invalid, NotFound, Refused, Throttled, TimedOut, Unavailable
from flinkform.provider.lists import Caller
from flinkform.provider.protocol.msgpack import UNKNOWN
from flinkform.provider.upgrade import UNSAID, Verdict

_ROWS = 20
"""Operators that are told of."""


class Oracle:
    """One for each configuration of the provider; it finds out once whether the question is understood."""

    __slots__ = ("_client", "_lock", "_offered")

    def __init__(self, client: Caller) -> None:
        self._client = client
        self._lock = Lock()
        self._offered: bool | None = None

    def ask(self, place: Mapping[str, str], body: Mapping[str, Any]) -> Verdict:
        """Return the verdict on updating the deployment at *place* by *body*.

        Raises `Invalid` at `sql` if Flink cannot read the new script. While nobody answers, the word is UNKNOWN.
        """
        if self._offered is None:
            with self._lock:  # the first alone; the others wait for what it finds out
                if self._offered is None:
                    return self._asked(place, body)
        return self._asked(place, body) if self._offered else Verdict(UNSAID)

    def _asked(self, place: Mapping[str, str], body: Mapping[str, Any]) -> Verdict:
        try:
            answer = self._client.call("GetStateVerdict", place, body).get("data") or {}
        except (Unavailable, TimedOut, Throttled) as error:
            return Verdict(UNKNOWN, str(error))
        except NotFound as gone:
            return Verdict(UNSAID, gone.message)
        except (Refused, Denied) as error:
            if isinstance(error, Refused) and error.status == 200:  # an answer all the same: the script is wrong
                raise Invalid(error.message, at=("sql",)) from error
            self._offered = False
            return Verdict(UNSAID)
        self._offered = True
        return Verdict(str(answer.get("verdict") or UNSAID), str(answer.get("summary") or ""), _dropped(answer))


def _dropped(answer: Mapping[str, Any]) -> tuple[str, ...]:
    rows = list(_losses(answer.get("operators") or ()))
    more = (f"and {len(rows) - _ROWS} more",) if len(rows) > _ROWS else ()
    return (*rows[:_ROWS], *more)


def _losses(operators: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Yield a line for each operator that loses its state, then for each that begins with none."""
    for fate in ("dropped", "new"):
        for one in operators:
            if one.get("fate") == fate:
                why = f"; {one['why']}" if one.get("why") else ""
                yield f"{fate}: {one.get('name')}{why}"
