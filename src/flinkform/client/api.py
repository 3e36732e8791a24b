"""Call the API: one operation, or all pages of one."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http.client import HTTPException
from types import MappingProxyType
from typing import Any

from flinkform.client import failures, upload
from flinkform.client.credentials import Credentials
from flinkform.client.endpoints import Endpoints
from flinkform.client.rate import Rate
from flinkform.client.retry import Failure, Retry
from flinkform.client.wire import Answer, Pool
from flinkform.errors import Refused
from flinkform.openapi import envelope
from flinkform.openapi import operation as table
from flinkform.openapi.operation import Operation
from flinkform.openapi.request import Request, build
from flinkform.openapi.signature import Key, sign
from flinkform.schema.document import get

NOTHING: Mapping[str, Any] = MappingProxyType({})
_REGION = ("Region", "RegionId", "regionId")


class Client:
    """Calls the API for one key in one region; safe to share between threads.

    *clock* is Unix time. *counter* is where `calls` counts, if somebody else wants to see it.
    """

    calls: Counter[str]
    """Requests sent, retries included, by operation."""

    def __init__(
        self,
        credentials: Credentials,
        endpoints: Endpoints,
        *,
        region: str,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        counter: Counter[str] | None = None,
        retry: Retry | None = None,
    ) -> None:
        self.calls = Counter() if counter is None else counter
        self._credentials = credentials
        self._key = Key(credentials.key_id, credentials.secret, credentials.token)
        self._region = region
        self._clock = clock
        self._sleep = sleep
        self._retry = retry or Retry()
        self._lock = threading.Lock()
        self._proxy = endpoints.proxy("ververica")
        self._pools: dict[str, Pool] = {}
        self._rates: dict[str, Rate] = {}
        for product in ("ververica", "foasconsole"):
            self._pools[product] = Pool(endpoints.url(product), proxy=endpoints.proxy(product), clock=clock)
            self._rates[product] = Rate(clock=clock, sleep=sleep)

    def call(self, operation: str, params: Mapping[str, Any] = NOTHING, body: Any = None) -> dict[str, Any]:
        """Return the whole answer of *operation*.

        Raises `NotFound`, `Conflict`, `Denied`, `Throttled`, `Refused`, `Unavailable`, and `Invalid` for
        parameters that the operation does not have or lacks.
        """
        wanted = table.operation(operation)
        request = build(wanted, self._placed(wanted, params), body)
        tried = 0
        while True:
            found = self._once(wanted, request)
            tried += 1
            if not isinstance(found, Failure):
                return found
            pause = self._retry.pause(found, tried=tried, idempotent=wanted.idempotent)
            if pause is None:
                raise found.error
            self._sleep(pause)

    def pages(
        self, operation: str, params: Mapping[str, Any] = NOTHING, *, items: str = "", size: int = 100
    ) -> Iterator[dict[str, Any]]:
        """Yield the items of every page of *operation*, asking for *size* of them at once.

        *items* is their dotted place in the answer, where it is not the one that the table of operations says.
        Pages are no snapshot: what moves between two of them may be missed or come twice.
        """
        wanted = table.operation(operation)
        place = items or envelope.items_place(wanted)
        if any(field.name == "NextToken" for field in wanted.query):
            return self._by_token(wanted, params, place)
        style = envelope.paging(wanted)
        if style is None:
            return iter(_items(wanted, self.call(operation, params), place))
        return self._by_number(wanted, params, place, style, min(size, style.most))

    def put(self, url: str, body: bytes) -> None:
        """Put a file where a link that the API gave says; see `upload.put`."""
        upload.put(url, body, proxy=self._proxy)

    def close(self) -> None:
        """Close the connections that are idle."""
        for pool in self._pools.values():
            pool.close()

    def _by_number(
        self, wanted: Operation, params: Mapping[str, Any], place: str, style: envelope.Paging, size: int
    ) -> Iterator[dict[str, Any]]:
        index, seen = 1, 0
        while True:
            answer = self.call(wanted.name, {**params, style.index: index, style.size: size})
            found = _items(wanted, answer, place)
            yield from found
            index, seen = index + 1, seen + len(found)
            total = str(get(answer, style.total))
            more = seen < int(total) if total.isdigit() else len(found) == size
            if not found or not more:
                return

    def _by_token(self, wanted: Operation, params: Mapping[str, Any], place: str) -> Iterator[dict[str, Any]]:
        token: Any = None
        while True:
            answer = self.call(wanted.name, {**params, "NextToken": token})
            yield from _items(wanted, answer, place)
            before, token = token, answer.get("NextToken")
            if not token or token == before:
                return

    def _placed(self, wanted: Operation, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return *params* with our region wherever the operation wants one and none is given."""
        return {name: self._region for name in _REGION if name in wanted.fields} | dict(params)

    def _once(self, wanted: Operation, request: Request) -> dict[str, Any] | Failure:
        rate, pool = self._rates[wanted.product], self._pools[wanted.product]
        rate.wait()
        answer = self._exchange(pool, wanted, request)
        if isinstance(answer, Failure):
            return answer
        try:
            found = envelope.read(wanted, status=answer.status, headers=answer.headers, body=answer.body)
        except Refused as error:
            failure = failures.refused(error, answer.headers, url=pool.url, credentials=self._credentials)
            if failure.throttled:
                rate.slower()
            return failure
        rate.faster()
        return found

    def _exchange(self, pool: Pool, wanted: Operation, request: Request) -> Answer | Failure:
        with self._lock:
            self.calls[wanted.name] += 1
        try:
            line = pool.take()
        except OSError as error:
            return failures.unreachable(pool.url, error)
        named = replace(request, headers={**request.headers, "user-agent": "flinkform"})
        headers = sign(named, self._key, host=pool.host, now=self._clock(), nonce=os.urandom(16).hex())
        try:
            answer = line.exchange(request.method, request.target, headers, request.body)
        except (OSError, HTTPException) as error:
            line.connection.close()
            return failures.lost(pool.url, wanted, error)
        pool.give(line)
        return answer


def _items(wanted: Operation, answer: dict[str, Any], place: str) -> list[dict[str, Any]]:
    found = get(answer, place) if place else None
    if found is None:
        return []
    if not isinstance(found, list):
        raise Refused(
            f"expected a list at {place}, got {type(found).__name__}",
            operation=wanted.name,
            code="NotAList",
            status=200,
            request_id=str(answer.get("requestId") or answer.get("RequestId") or ""),
        )
    return found
