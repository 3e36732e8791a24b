"""`flinkform key`: access keys of the embedded control plane, and what each may do."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flinkform.cli.progress import table
from flinkform.cli.store import opened
from flinkform.controlplane import keyring, policy
from flinkform.controlplane.api import trail
from flinkform.controlplane.store import keys
from flinkform.controlplane.store.keys import Key
from flinkform.errors import Conflict


def policies(files: list[Path] | None, *, none: bool = False) -> list[dict[str, Any]] | None:
    """Return the statements of all *files*; None, which limits nothing, if there are none (or nothing, if *none*)."""
    if files is None:
        return [] if none else None
    return [statement for file in files for statement in policy.load(file)]


def _create(options: argparse.Namespace) -> int:
    limits = policies(options.policy, none=options.member)
    with opened(options) as (chosen, store):
        made = keyring.create(store, chosen, description=options.description, policies=limits)
    if options.json:
        print(json.dumps({"access_key_id": made.id, "access_key_secret": made.secret}))
    else:
        print(f"access key id      {made.id}\naccess key secret  {made.secret}")
    return 0


def _list(options: argparse.Namespace) -> int:
    with opened(options) as (_, store), store.read() as db:
        found = keys.every(db)
    if options.json:
        print(json.dumps({"keys": [_shown(one) | {"policies": one.policies} for one in found]}))
    else:
        print(table([_shown(one) for one in found], ("id", "may", "created", "description")))
    return 0


def _remove(options: argparse.Namespace) -> int:
    with opened(options) as (chosen, store):
        if chosen.credentials.exists() and options.key == keyring.root(store, chosen).id:
            advice = f"delete {chosen.credentials} first"
            raise Conflict(f"{options.key} is the root key of {chosen.home}", advice=advice)
        with store.write() as db:
            keys.remove(db, options.key)
            trail.local("RemoveAccessKey", {"key": options.key}).write(db)
    if options.json:
        print(json.dumps({"removed": options.key}))
    return 0


def _shown(one: Key) -> dict[str, str]:
    count = len(one.policies or ())
    may = "everything" if one.policies is None else f"{count} statement{'s' * (count != 1)}" if count else "by role"
    when = datetime.fromtimestamp(one.created_at / 1000, UTC).isoformat(timespec="seconds")
    return {"id": one.id, "may": may, "created": when, "description": one.description}
