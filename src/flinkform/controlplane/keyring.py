"""Makes access keys: the root key of a home, which its owner's programs use, and others."""

from __future__ import annotations

import json
import secrets
import time

from flinkform.controlplane import home
from flinkform.controlplane.settings import Settings
from flinkform.controlplane.store import keys
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.keys import Key
from flinkform.errors import Invalid


def create(store: Store, *, description: str) -> Key:
    """Make a key and keep it."""
    key_id, secret = f"FF{secrets.token_hex(10).upper()}", secrets.token_urlsafe(30)
    with store.write() as db:
        return keys.add(db, key_id, secret, description=description, now=_now())


def root(store: Store, settings: Settings) -> Key:
    """Return the key in the home's credentials file, making both at the first start.

    A database that lost the key, because it was made anew, is told it again. Invalid: the file is no such file.
    """
    if not settings.credentials.exists():
        made = create(store, description="root")
        text = json.dumps({"access_key_id": made.id, "access_key_secret": made.secret}, indent=2)
        home.write(settings.credentials, text + "\n")
        return made
    try:
        kept = json.loads(settings.credentials.read_text(encoding="utf-8"))
        key_id, secret = str(kept["access_key_id"]), str(kept["access_key_secret"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Invalid(f"{settings.credentials} cannot be read", advice="delete it to get a new root key") from error
    with store.write() as db:
        return keys.find(db, key_id) or keys.add(db, key_id, secret, description="root", now=_now())


def _now() -> int:
    return time.time_ns() // 1_000_000
