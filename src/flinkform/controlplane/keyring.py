"""Makes access keys: the root key of a home, which its owner's programs use, others, and temporary ones."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane import home, vault
from flinkform.controlplane.api import trail
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store import keys, tokens
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.keys import Key
from flinkform.controlplane.store.tokens import Kind, Token
from flinkform.errors import Invalid, NotFound
from flinkform.openapi import signature

LONGEST = 366 * 86400
"""Seconds that a temporary key lives at most."""

Policies = list[dict[str, Any]]


def create(store: Store, settings: Settings, *, description: str, policies: Policies | None = None) -> Key:
    """Make a key and keep it; without *policies* it may do everything."""
    key_id, secret = f"FF{secrets.token_hex(10).upper()}", secrets.token_urlsafe(30)
    sealed = vault.of(settings).seal_text(_bound(key_id), secret)
    with store.write() as db:
        made = keys.add(db, key_id, sealed, description=description, policies=policies, now=_now())
        trail.local("CreateAccessKey", {"key": key_id}, {"description": description, "policies": policies}).write(db)
    return replace(made, secret=secret)


def find(db: Connection, settings: Settings, key_id: str) -> Key | None:
    """Return a key with its secret. Invalid: that was sealed with another key than the home's."""
    found = keys.find(db, key_id)
    return replace(found, secret=vault.of(settings).open_text(_bound(key_id), found.secret)) if found else None


def issue(
    store: Store,
    settings: Settings,
    key_id: str,
    kind: Kind,
    *,
    seconds: int,
    description: str = "",
    policies: Policies | None = None,
) -> tuple[Token, signature.Key]:
    """Make a temporary key of *key_id*, and return it with what signs (or, of a bearer, is the whole of it: `token`).

    It may do what its key may and, if there are *policies*, those allow. NotFound: no such key. Invalid: too long.
    """
    if not 0 < seconds <= LONGEST:
        raise Invalid(f"expected a life of at most {LONGEST // 86400} days, got {seconds} s")
    token_id = f"STS.{secrets.token_hex(10)}" if kind is Kind.STS else f"FFT{secrets.token_hex(10)}"
    now = _now()
    made = Token(token_id, key_id, kind, description, policies, now, now + seconds * 1000)
    with store.write() as db:
        key = find(db, settings, key_id)
        if key is None:
            raise NotFound(f"no access key {key_id}", advice="`flinkform key list` names them")
        tokens.add(db, made)
        where = {"key": key_id, "token": token_id}
        trail.local("CreateToken", where, {"kind": kind, "seconds": seconds, "policies": policies}).write(db)
    return made, derived(made, key)


def derived(token: Token, key: Key) -> signature.Key:
    """Return what a temporary key signs with. It follows from its key's secret, so that none has to be kept."""
    ends = token.expires_at / 1000
    if token.kind == Kind.BEARER:
        return signature.Key(token.id, "", token=f"{token.id}.{_derived(key, 'bearer', token)}", ends=ends)
    secret, shown = _derived(key, "secret", token), _derived(key, "token", token)
    return signature.Key(token.id, secret, token=shown, ends=ends)


def root(store: Store, settings: Settings) -> Key:
    """Return the key in the home's credentials file, making both at the first start.

    A database that lost the key, because it was made anew, is told it again. Invalid: the file is no such file.
    """
    _seal(store, settings)
    if not settings.credentials.exists():
        made = create(store, settings, description="root")
        text = json.dumps({"access_key_id": made.id, "access_key_secret": made.secret}, indent=2)
        home.write(settings.credentials, text + "\n")
        return made
    try:
        kept = json.loads(settings.credentials.read_text(encoding="utf-8"))
        key_id, secret = str(kept["access_key_id"]), str(kept["access_key_secret"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{settings.credentials} cannot be read", advice="delete it to get a new root key") from error
    sealed = vault.of(settings).seal_text(_bound(key_id), secret)
    with store.write() as db:
        found = keys.find(db, key_id)
        if found is None:
            found = keys.add(db, key_id, sealed, description="root", now=_now())
        else:  # the file has the secret whatever became of the key that sealed it
            keys.reseal(db, key_id, sealed)
    return replace(found, secret=secret)


def _seal(store: Store, settings: Settings) -> None:
    """Seal what was kept in clear by a flinkform that sealed nothing."""
    box = vault.of(settings)
    with store.write() as db:
        for one in keys.every(db):
            if not vault.sealed(one.secret):
                keys.reseal(db, one.id, box.seal_text(_bound(one.id), one.secret))


def _bound(key_id: str) -> str:
    return f"access key {key_id}"


def _derived(key: Key, use: str, token: Token) -> str:
    digest = hmac.digest(key.secret.encode(), f"flinkform {use} {token.id}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _now() -> int:
    return time.time_ns() // 1_000_000
