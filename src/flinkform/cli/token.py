"""`flinkform token`: temporary keys of the embedded control plane, which sign (STS) or are shown (bearer)."""

from __future__ import annotations

import argparse
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flinkform.cli.key import policies
from flinkform.cli.progress import table
from flinkform.cli.store import arguments, opened
from flinkform.controlplane import keyring
from flinkform.controlplane.api import trail
from flinkform.controlplane.store import tokens
from flinkform.controlplane.store.tokens import Kind, Token
from flinkform.errors import Invalid
from flinkform.openapi import signature

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser("token", help="make, list and remove temporary keys of the control plane")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a temporary key; it is shown this once")
    create.add_argument("kind", choices=[*Kind], help="sts: signs, with a security token; bearer: one text, sent along")
    create.add_argument("--key", default="", metavar="ID", help="whose it is (default: the root key)")
    create.add_argument("--for", dest="life", default="1h", metavar="TIME", help="how long it lives, such as 15m or 7d")
    create.add_argument("--policy", type=Path, action="append", metavar="FILE", help="narrows what its key may do")
    create.add_argument("--description", default="", help="what for, for people")
    create.set_defaults(run=_create)
    listing = actions.add_parser("list", help="show the temporary keys")
    listing.set_defaults(run=_list)
    remove = actions.add_parser("remove", help="end a temporary key now")
    remove.add_argument("token", metavar="ID")
    remove.set_defaults(run=_remove)
    for one in (create, listing, remove):
        arguments(one)


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
