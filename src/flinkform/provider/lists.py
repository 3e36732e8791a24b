"""What the API lists, fetched once between two configurations of the provider and then read from memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from threading import Lock
from typing import Any, Protocol

from flinkform.errors import FlinkformError, NotFound

Document = Mapping[str, Any]
"""One object as the API writes it."""
Key = tuple[str, ...]
"""An operation, then the values of its parameters."""


class Caller(Protocol):
    """What this room needs of the client."""

    def call(self, operation: str, params: Mapping[str, Any] = ..., body: Any = ...) -> dict[str, Any]:
        """Return the whole answer of one operation."""

    def pages(
        self, operation: str, params: Mapping[str, Any] = ..., *, items: str = ..., size: int = ...
    ) -> Iterable[dict[str, Any]]:
        """Yield the items of all pages."""

    def put(self, url: str, body: bytes) -> None:
        """Put a file where a link says."""


class _Slot:
    """One list: fetched by the first who asks while the others wait for it."""

    __slots__ = ("failure", "found", "lock")

    def __init__(self) -> None:
        self.lock = Lock()
        self.found: dict[str, Document] | None = None
        self.failure: FlinkformError | None = None


class Lists:
    """Lists by operation and parameters. A failure is kept too: 3,000 reads shall not each try a dead endpoint."""

    def __init__(self, client: Caller) -> None:
        self._client = client
        self._slots: dict[Key, _Slot] = {}
        self._lock = Lock()

    def cached(self, operation: str, params: Mapping[str, str]) -> Mapping[str, Document] | None:
        """Return the list if it is here already; never waits."""
        slot = self._slots.get(_key(operation, params))
        return slot.found if slot else None

    def fetch(self, operation: str, params: Mapping[str, str], *, items: str, by: str) -> Mapping[str, Document]:
        """Return the list as documents by their field *by*; a list inside something that is gone is empty.

        Raises what the client raises.
        """
        with self._lock:
            slot = self._slots.setdefault(_key(operation, params), _Slot())
        with slot.lock:
            if slot.failure:
                raise slot.failure
            if slot.found is None:
                slot.found = self._ask(slot, operation, params, items=items, by=by)
            return slot.found

    def forget(self, operation: str, params: Mapping[str, str]) -> None:
        """Drop a list that a write has made old."""
        with self._lock:
            self._slots.pop(_key(operation, params), None)

    def _ask(
        self, slot: _Slot, operation: str, params: Mapping[str, str], *, items: str, by: str
    ) -> dict[str, Document]:
        try:
            return dict(_indexed(self._client.pages(operation, params, items=items), by))
        except NotFound:
            return {}
        except FlinkformError as error:
            slot.failure = error
            raise


def _indexed(documents: Iterable[Document], by: str) -> Iterator[tuple[str, Document]]:
    for document in documents:
        yield str(document.get(by)), document


def _key(operation: str, params: Mapping[str, str]) -> Key:
    return (operation, *params.values())
