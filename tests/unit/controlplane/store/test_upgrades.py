"""Databases of every form that was ever released become today's, with all that is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, insert, inspect, select

from flinkform.controlplane.store import deployments, instances, migrate, runs, savepoints
from flinkform.controlplane.store.database import Store
from flinkform.controlplane.store.tables import METADATA
from tests.unit.controlplane.tables import Kind, Postgresql

pytestmark = pytest.mark.both

FIRST = Path(__file__).with_name("first.txt")
"""The tables and columns of the first release: what 0001 makes must be that for ever."""
RUN = "5b2a7c2e-9d0e-4b57-9c1c-6f3f2f0f8a01"
PLACE = {"workspace": "w", "namespace": "n", "deployment_id": "d-1", "run_id": RUN}
"""What columns of these names hold, wherever they are: others point at it."""
ROWS: dict[str, dict[str, Any]] = {
    "instances": {"id": "f-1", "workspace": "w", "name": "main", "status": "RUNNING", "document": {"Tags": ["é"]}},
    "namespaces": {"instance_id": "f-1", "name": "n", "workspace": "w", "status": "SUCCESS", "document": {}},
    "deployments": {"id": "d-1", "workspace": "w", "namespace": "n", "name": "bids", "document": {"a": [1, None]}},
    "labels": {"deployment_id": "d-1", "key": "team", "value": "x"},
    "runs": {"id": RUN, "deployment_id": "d-1", "state": "RUNNING", "restored_from": "file:///s/1", "definition": {}},
    "savepoints": {"id": "s-1", "deployment_id": "d-1", "run_id": RUN, "state": "COMPLETED"},
    "rescales": {"id": "r-1", "run_id": RUN},
    "events": {"id": "e-1", "workspace": "w", "namespace": "n", "deployment_id": "d-1"},
    "keys": {"id": "FF1", "secret": "hidden"},
    "nonces": {"key_id": "FF1", "nonce": "1"},
    "tokens": {"id": "STS.1", "key_id": "FF1", "kind": "sts"},
    "states": {"address": "dev/a", "number": 1, "content": b"\x00\xff"},
    "locks": {"address": "dev/a", "id": "l", "document": {"Who": "ann"}},
    "meta": {"name": "a", "value": "b"},
}


def revisions() -> list[str]:
    """The forms that there were before today's, oldest first."""
    found = ScriptDirectory(str(Path(migrate.__file__).with_name("migrations"))).walk_revisions()
    return [one.revision for one in found][:0:-1]


def row(table: Table) -> dict[str, Any]:
    """A row with a value in each column that needs one."""
    usual: dict[type, Any] = {str: "x", int: 1, bool: False, dict: {}, object: {}, bytes: b"x"}
    given = PLACE | ROWS.get(table.name, {})
    needed = [one for one in table.columns if one.name in given or not (one.nullable or one.server_default)]
    return {one.name: given.get(one.name, usual[one.type.python_type]) for one in needed}


def filled(db: Connection, revision: str) -> dict[str, list[Any]]:
    """Bring an empty database to a form, with a row in each table; what is in them."""
    migrate.upgrade(db, to=revision)
    then = MetaData()
    then.reflect(db)
    tables = [one for one in then.sorted_tables if one.name != "alembic_version"]
    for table in tables:
        db.execute(insert(table).values(row(table)))
    return {one.name: [dict(found) for found in db.execute(select(one)).mappings()] for one in tables}


def empty(kind: Kind, folder: Path) -> str:
    """The URL of a database without tables."""
    if isinstance(kind, Postgresql):
        return kind.server.database(kind.make())
    return f"sqlite:///{folder / 'old.db'}"


@pytest.mark.parametrize("revision", revisions())
def test_every_form_becomes_todays(kind: Kind, revision: str, tmp_path: Path) -> None:
    """Nothing that stood in the old tables is gone or changed, and what was added is there."""
    store = Store.unmigrated(empty(kind, tmp_path))
    with store.write() as db:
        before = filled(db, revision)
    with store.write() as db:
        migrate.upgrade(db)
    with store.read() as db:
        assert compare_metadata(MigrationContext.configure(db), METADATA) == []
        now = MetaData()
        now.reflect(db)
        for name, rows in before.items():
            kept = [dict(found) for found in db.execute(select(now.tables[name])).mappings()]
            assert [{column: one[column] for column in rows[0]} for one in kept] == rows
    store.close()


def test_an_old_database_is_understood(kind: Kind, tmp_path: Path) -> None:
    """What the first release wrote is read by today's code; a run tells what it began from."""
    store = Store.unmigrated(empty(kind, tmp_path))
    with store.write() as db:
        filled(db, "0001")
        migrate.upgrade(db)
        assert instances.get(db, "f-1").document == {"Tags": ["é"]}
        assert deployments.get(db, "w", "n", "d-1").document == {"a": [1, None]}
        run = runs.find(db, RUN)
        assert run is not None
        assert (run.troubles, run.began_from) == ({}, "file:///s/1")
        assert savepoints.find(db, "s-1") is not None
    store.close()


def test_the_first_form_stays_what_it_was(kind: Kind, tmp_path: Path) -> None:
    """Nobody edits the migration that the first release ran: databases of its form are out there."""
    store = Store.unmigrated(empty(kind, tmp_path))
    with store.write() as db:
        migrate.upgrade(db, to="0001")
        seen = inspect(db)
        found = [
            f"{table}: "
            + ", ".join(f"{one['name']}{'' if one['nullable'] else '!'}" for one in seen.get_columns(table))
            for table in sorted(seen.get_table_names())
            if table != "alembic_version"
        ]
    store.close()
    assert "\n".join(found) + "\n" == FIRST.read_text()
