"""Who asks: the signature of an API request, and HTTP basic for Terraform and for flinkform's own pages."""

from __future__ import annotations

import base64
import hmac
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial

from flinkform.controlplane.api.call import Services
from flinkform.controlplane.api.failures import refused
from flinkform.controlplane.store import keys, nonces
from flinkform.controlplane.store.database import Store
from flinkform.openapi import signature

_REMEMBERED = 200_000


class Replays:
    """Remembers the nonces of requests, so that a recorded one cannot be sent again.

    Those of requests that change something are written down and outlive a restart. Those of reads are kept in
    memory, the newest 200,000: a read that is sent again does no harm, and reads must work on a full disk.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._lock = threading.Lock()

    def check(self, method: str, key_id: str, nonce: str) -> bool:
        """Note a nonce; True if this key used it before."""
        if self._remembered(key_id, nonce):
            return True
        if method == "GET":
            return False
        with self._services.store.write() as db:
            return not nonces.fresh(db, key_id, nonce, now=self._services.now)

    def _remembered(self, key_id: str, nonce: str) -> bool:
        now = self._services.clock()
        with self._lock:
            while self._seen and (
                len(self._seen) > _REMEMBERED or next(iter(self._seen.values())) < now - 2 * signature.SKEW
            ):
                self._seen.popitem(last=False)
            if (key_id, nonce) in self._seen:
                return True
            self._seen[key_id, nonce] = now
            return False


def signed(
    services: Services, replays: Replays, *, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> str:
    """Return the id of the key that signed a request; Refused as the public gateway does."""
    return signature.verify(
        method,
        target,
        headers,
        body,
        find=partial(_find, services.store),
        now=services.clock(),
        replayed=partial(replays.check, method),
    )


def basic(store: Store, header: str) -> str:
    """Return the access key of an HTTP basic header whose password is its secret; Refused (401) otherwise."""
    kind, _, token = header.partition(" ")
    try:
        key_id, _, secret = base64.b64decode(token.strip(), validate=True).decode().partition(":")
    except ValueError:
        key_id = secret = ""
    found = _find(store, key_id) if kind.lower() == "basic" and key_id else None
    if found is None or not hmac.compare_digest(found.secret.encode(), secret.encode()):
        raise refused(
            "expected HTTP basic authentication with an access key's id and secret",
            code="Unauthorized",
            status=401,
            advice="`flinkform env` prints TF_HTTP_USERNAME and TF_HTTP_PASSWORD for a shell",
        )
    return key_id


def _find(store: Store, key_id: str) -> signature.Key | None:
    with store.read() as db:
        found = keys.find(db, key_id)
    return signature.Key(found.id, found.secret) if found else None
