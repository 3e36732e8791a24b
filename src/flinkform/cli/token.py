"""`flinkform token`: temporary keys of the embedded control plane, which sign (STS) or are shown (bearer)."""

from __future__ import annotations

import argparse
import json
import re
from datetime import UTC, datetime
from typing import Any

from flinkform.cli.key import policies
from flinkform.cli.progress import table
from flinkform.cli.store import opened
from flinkform.controlplane import keyring
from flinkform.controlplane.api import trail
from flinkform.controlplane.store import tokens
from flinkform.controlplane.store.tokens import Kind, Token
from flinkform.errors import Invalid
from flinkform.openapi import signature

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _create(options: argparse.Namespace) -> int:
    seconds, limits = _seconds(options.life), policies(options.policy)
    with opened(options) as (chosen, store):
        key_id = options.key or keyring.root(store, chosen).id
        made, key = keyring.issue(
            store, chosen, key_id, Kind(options.kind), seconds=seconds, description=options.description, policies=limits
        )
    shown = _secrets(made, key) | {"expires": _when(made.expires_at)}
    if options.json:
        print(json.dumps(shown))
    else:
        print("\n".join(f"{name.replace('_', ' '):18} {value}" for name, value in shown.items()))
    return 0


def _list(options: argparse.Namespace) -> int:
    with opened(options) as (_, store), store.read() as db:
        found = [_shown(one) for one in tokens.every(db)]
    if options.json:
        print(json.dumps({"tokens": found}))
    else:
        print(table(found, ("id", "kind", "key", "expires", "description")) if found else "no tokens")
    return 0


def _remove(options: argparse.Namespace) -> int:
    with opened(options) as (_, store), store.write() as db:
        tokens.remove(db, options.token)
        trail.local("RemoveToken", {"token": options.token}).write(db)
    if options.json:
        print(json.dumps({"removed": options.token}))
    return 0


def _secrets(made: Token, key: signature.Key) -> dict[str, str]:
    if made.kind == Kind.BEARER:
        return {"bearer_token": key.token}
    return {"access_key_id": key.id, "access_key_secret": key.secret, "security_token": key.token}


def _shown(one: Token) -> dict[str, Any]:
    return {
        "id": one.id,
        "kind": one.kind,
        "key": one.key_id,
        "expires": _when(one.expires_at),
        "description": one.description,
    }


def _when(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")


def _seconds(text: str) -> int:
    found = re.fullmatch(r"([1-9]\d{0,6})([smhd])", text)
    if not found:
        raise Invalid(f"--for: expected a time such as 15m, 1h or 7d, got {text[:40]!r}")
    return int(found[1]) * _UNITS[found[2]]
