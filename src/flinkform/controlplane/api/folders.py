"""What holds for folders beyond their declaration: they make up a tree, whose root is always there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from flinkform.controlplane.api import places
from flinkform.controlplane.api.call import Call, Params
from flinkform.controlplane.api.kept import Keeper, Rules
from flinkform.controlplane.store import things
from flinkform.controlplane.store.things import Thing
from flinkform.errors import Conflict, Invalid
from flinkform.resources import folder as declared

ROOT = "root"
"""The id of the folder that every namespace has; it cannot be changed."""
TYPE = declared.RESOURCE.name
DRAFT = "draft"
_ALL = 10_000


def get(call: Call, params: Params, body: Any) -> dict[str, Any]:
    """Answer with a folder and those in it; with the root where none is named."""
    if params.get("folderId") not in (None, "", ROOT):
        return KEEPER.read(call, params, body)
    with call.store.read() as db:
        namespace = places.namespace(db, params)
        return {
            "createdAt": namespace.created_at // 1000,
            "folderId": ROOT,
            "modifiedAt": namespace.created_at // 1000,
            "name": ROOT,
            "namespace": namespace.name,
            "subFolder": _inside(db, namespace.workspace, namespace.name, ROOT),
            "workspace": namespace.workspace,
        }


def parent(db: Connection, one: Thing) -> Thing | None:
    """Return the folder that something is in, None for the root. Invalid: there is none of that id."""
    wanted = one.document["parentId"]
    if wanted == ROOT:
        return None
    found = things.find(db, TYPE, one.workspace, one.namespace, wanted)
    if found is None:
        raise Invalid(f"expected the id of a folder, got {wanted[:80]!r}", at=("parentId",))
    return found


def _fill(_call: Call, document: dict[str, Any]) -> None:
    document.setdefault("parentId", ROOT)


def _check(_call: Call, db: Connection, after: Thing, _before: Thing | None) -> None:
    """Refuse a folder in itself, however deep."""
    above = parent(db, after)
    while above is not None:
        if above.id == after.id:
            raise Conflict(f"folder {after.document['name']} cannot be moved into itself")
        above = parent(db, above)


def _show(_call: Call, db: Connection, one: Thing) -> dict[str, Any]:
    return {"subFolder": _inside(db, one.workspace, one.namespace, one.id)}


def _leave(_call: Call, db: Connection, one: Thing) -> None:
    for kind, words in ((TYPE, "folders"), (DRAFT, "drafts")):
        held = things.page(db, kind, one.workspace, one.namespace, wanted={"parentId": one.id}, limit=1)
        if held.total:
            raise Conflict(f"folder {one.document['name']} holds {held.total} {words}", advice="delete them first")


def _inside(db: Connection, workspace: str, namespace: str, folder_id: str) -> list[dict[str, Any]]:
    found = things.page(db, TYPE, workspace, namespace, wanted={"parentId": folder_id}, limit=_ALL)
    return [{"folderId": one.id, "name": one.document["name"], "parentId": folder_id} for one in found.items]


RULES = Rules(fill=_fill, check=_check, show=_show, leave=_leave)
KEEPER = Keeper(declared.RESOURCE, RULES)
OPERATIONS = {**KEEPER.operations, "GetFolder": get}
