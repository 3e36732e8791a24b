"""Who asks: the signature of an API request, and HTTP basic for Terraform and for flinkform's own pages."""

from __future__ import annotations

import base64
import hmac
import threading
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import Connection

from flinkform.controlplane import keyring
from flinkform.controlplane.api import rights
from flinkform.controlplane.api.call import Services
from flinkform.controlplane.api.failures import refused
from flinkform.controlplane.api.rights import Identity
from flinkform.controlplane.store import nonces, tokens
from flinkform.controlplane.store.tokens import Kind
from flinkform.errors import Unavailable
from flinkform.openapi import proof, signature

_REMEMBERED = 200_000


class Replays:
    """Remembers the nonces of requests, so that a recorded one cannot be sent again.

    The newest 200,000 are kept in memory. Those of operations that change something are written down as well, in the
    transaction of the change (`Trail.spend`), and outlive a restart; a read that is sent again does no harm, and reads
    must work on a full disk.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._lock = threading.Lock()

    def failed(self, nonce: tuple[str, str]) -> None:
        """Write down the nonce of a request that was refused: what failed today must not succeed tomorrow."""
        # One that cannot be written is in memory, and the database has said what is wrong with it already.
        with suppress(Unavailable), self._services.store.write() as db:
            nonces.fresh(db, *nonce, now=self._services.now)

    def seen(self, key_id: str, nonce: str) -> bool:
        """Remember a nonce; True if this key used it before."""
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


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked, which operation was named, if any, and the nonce of the request, which a bearer need not send."""

    identity: Identity
    action: str
    nonce: tuple[str, str] | None


class _Keys:
    """The keys and tokens of one request: what is looked up is remembered, to say whose it was."""

    def __init__(self, services: Services, replays: Replays | None = None) -> None:
        self._store = services.store
        self._settings = services.settings
        self._replays = replays
        self.identity = Identity("")
        self.nonce: tuple[str, str] | None = None

    def replayed(self, key_id: str, nonce: str) -> bool:
        """Say whether a key used a nonce before."""
        self.nonce = (key_id, nonce)
        return self._replays is not None and self._replays.seen(key_id, nonce)

    def find(self, key_id: str) -> signature.Key | None:
        """Return the key, lasting or temporary, that signs by this id."""
        with self._store.read() as db:
            if key_id.startswith("STS."):
                return self._temporary(db, key_id, Kind.STS)
            found = keyring.find(db, self._settings, key_id)
        if found is None:
            return None
        self.identity = Identity.of(found)
        return signature.Key(found.id, found.secret)

    def bearer(self, token: str) -> signature.Key | None:
        """Return the temporary key whose bearer token this is."""
        with self._store.read() as db:
            found = self._temporary(db, token.partition(".")[0], Kind.BEARER)
        return found if found and hmac.compare_digest(found.token.encode(), token.encode()) else None

    def _temporary(self, db: Connection, token_id: str, kind: Kind) -> signature.Key | None:
        token = tokens.find(db, token_id)
        key = keyring.find(db, self._settings, token.key_id) if token else None
        if token is None or key is None or token.kind != kind:
            return None
        self.identity = Identity.of(key, token)
        return keyring.derived(token, key)


def signed(
    services: Services, replays: Replays, *, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> Asker:
    """Return who sent a request; Refused as the public gateway does."""
    ring = _Keys(services, replays)
    known = proof.Known(find=ring.find, bearer=ring.bearer, now=services.clock(), replayed=ring.replayed)
    found = proof.verify(method, target, headers, body, known)
    return Asker(ring.identity, found.action, ring.nonce)


def admitted(services: Services, headers: Mapping[str, str], action: str, place: str = "") -> Identity:
    """Return who asks for a page that is not of the API. Refused: nobody known. Forbidden: may not do *action*."""
    identity = basic(services, headers.get("authorization", ""))
    rights.check_own(identity, action, place)
    return identity


def basic(services: Services, header: str) -> Identity:
    """Return whose an HTTP basic header is: a key's id with its secret as password; Refused (401) otherwise."""
    kind, _, token = header.partition(" ")
    try:
        key_id, _, secret = base64.b64decode(token.strip(), validate=True).decode().partition(":")
    except ValueError:
        key_id = secret = ""
    ring = _Keys(services)
    found = ring.find(key_id) if kind.lower() == "basic" and key_id and not key_id.startswith("STS.") else None
    if found is None or not hmac.compare_digest(found.secret.encode(), secret.encode()):
        raise refused(
            "expected HTTP basic authentication with an access key's id and secret",
            code="Unauthorized",
            status=401,
            advice="`flinkform env` prints TF_HTTP_USERNAME and TF_HTTP_PASSWORD for a shell",
        )
    return ring.identity
