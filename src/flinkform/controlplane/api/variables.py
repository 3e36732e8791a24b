"""What holds for variables beyond their declaration: who may see a value."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane import vault
from flinkform.controlplane.api.call import Call
from flinkform.controlplane.api.kept import Rules
from flinkform.controlplane.store.things import Thing
from flinkform.errors import Conflict

_HIDDEN = "******"
_SEALED = "Encrypted"


def _check(_call: Call, _db: Connection, after: Thing, before: Thing | None) -> None:
    """Refuse to show what was given to be hidden."""
    if before and before.secret == after.secret and before.document["kind"] == _SEALED != after.document["kind"]:
        raise Conflict(f"variable {after.id} is encrypted", advice="send a value with the new kind")


def _show(call: Call, _db: Connection, one: Thing) -> dict[str, Any]:
    if one.document["kind"] == _SEALED:
        return {"value": _HIDDEN}
    return {"value": vault.of(call.services.settings).open(one).get("value", "")}


RULES = Rules(check=_check, show=_show)
