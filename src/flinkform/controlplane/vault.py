"""Keeps secrets that users hand over: encrypted in the database, with a key that only the home has."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store.things import Thing
from flinkform.errors import Invalid, Unavailable

_BYTES = 32
_NONCE = 12
_SEALED = "sealed:"
"""Before a text that is encrypted."""


class Vault:
    """Seals with AES-256-GCM. What is sealed for one thing opens for no other."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self._marks = hashlib.sha256(b"marks" + key).digest()

    def seal(self, one: Thing, secret: Mapping[str, Any]) -> bytes:
        """Return *secret* so that the database may hold it."""
        return self._sealed(json.dumps(secret).encode(), _bound(one))

    def mark(self, text: str) -> str:
        """Return what proves that *text* was written here."""
        return hmac.new(self._marks, text.encode(), hashlib.sha256).hexdigest()

    def open(self, one: Thing) -> dict[str, Any]:
        """Return what was sealed for *one*, nothing if nothing was. Invalid: with another key, or for another."""
        if one.secret is None:
            return {}
        what = f"{one.type.replace('_', ' ')} {one.id}"
        return dict(json.loads(self._opened(one.secret, _bound(one), what)))

    def seal_text(self, name: str, text: str) -> str:
        """Return *text*, which belongs to *name*, so that the database may hold it."""
        return _SEALED + base64.b64encode(self._sealed(text.encode(), name.encode())).decode()

    def open_text(self, name: str, text: str) -> str:
        """Return what was sealed for *name*, or what was written before anything was. Invalid: with another key."""
        if not sealed(text):
            return text
        return self._opened(base64.b64decode(text.removeprefix(_SEALED)), name.encode(), name).decode()

    def _sealed(self, clear: bytes, bound: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._cipher.encrypt(nonce, clear, bound)

    def _opened(self, sealed: bytes, bound: bytes, what: str) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
        except InvalidTag as error:
            advice = "put the home's secrets.key back (FLINKFORM_SECRETS_KEY), or set its value anew"
            raise Invalid(f"{what} was encrypted with another key", advice=advice) from error


def sealed(text: str) -> bool:
    """Say whether a text is what `Vault.seal_text` returned."""
    return text.startswith(_SEALED)


def of(settings: Settings) -> Vault:
    """Return the vault of a control plane, making its key when it is first needed. Unavailable: it cannot be kept."""
    return _vault(settings.secrets)


def opener(settings: Settings) -> Callable[[Thing], dict[str, Any]]:
    """Return what opens the secrets of a control plane; its key is looked for when it is first needed."""
    return lambda one: of(settings).open(one)


@cache
def _vault(file: Path) -> Vault:
    try:
        if not file.exists():
            _make(file)
        key = file.read_bytes()
    except OSError as error:
        raise Unavailable(f"cannot keep secrets with {file}: {error.strerror}") from error
    if len(key) != _BYTES:
        raise Invalid(f"{file}: expected {_BYTES} bytes, got {len(key)}", advice="put the file back as it was")
    return Vault(key)


def _make(file: Path) -> None:
    """Write a new key whole, unless somebody else was faster."""
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(secrets.token_bytes(_BYTES))
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()


def _bound(one: Thing) -> bytes:
    return f"{one.type}/{one.workspace}/{one.namespace}/{one.id}".encode()
