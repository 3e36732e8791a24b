"""Call the API: one operation, or all pages of one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from flinkform.client.credentials import Credentials
from flinkform.client.endpoints import Endpoints

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Client:
    """Calls the API for one key in one region; safe to share between threads."""

    calls: Counter[str]
    """Requests sent, retries included, by operation."""

    def __init__(
        self,
        credentials: Credentials,
        endpoints: Endpoints,
        *,
        region: str,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], None] | None = None,
        counter: Counter[str] | None = None,
    ) -> None:
        raise NotImplementedError

    def call(self, operation: str, params: Mapping[str, Any] = NOTHING, body: Any = None) -> dict[str, Any]:
        """Return the whole answer of *operation*.

        Raises `NotFound`, `Conflict`, `Denied`, `Throttled`, `Refused`, `Unavailable`, and `Invalid` for
        parameters that the operation does not have or lacks.
        """
        raise NotImplementedError

    def pages(
        self, operation: str, params: Mapping[str, Any] = NOTHING, *, items: str = "data", size: int = 100
    ) -> Iterator[dict[str, Any]]:
        """Yield the items at the dotted place *items* of every page. Pages are no snapshot of anything."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections that are idle."""
