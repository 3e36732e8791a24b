"""The locks of what the control plane keeps, by ENVIRONMENT/STACK: who holds one, and how it is broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from flinkform.cli import api
from flinkform.cli.project import Project
from flinkform.errors import NotFound

STATES = "/flinkform/v1/states"


def place(address: str) -> str:
    """Return where the control plane tells of the state at *address*."""
    return f"{STATES}/{'/'.join(quote(part, safe='') for part in address.split('/'))}"


def held(here: Project, address: str) -> Mapping[str, Any] | None:
    """Return the lock of *address* with who has it; None where nobody does."""
    try:
        found: Mapping[str, Any] | None = api.call(here, "GET", place(address))["lock"]
    except NotFound:
        return None
    return found


def unlock(here: Project, address: str, id: str) -> None:  # noqa: A002 - Terraform's word
    """Break the lock *id*. NotFound: there is none; Conflict: another one is held."""
    api.call(here, "POST", f"{place(address)}/unlock?id={quote(id, safe='')}")
