"""Brings the tables to the form this version of flinkform writes."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from flinkform.errors import Conflict


def upgrade(db: Connection, *, to: str = "head") -> None:
    """Run what is missing, inside the caller's transaction: a failure leaves the old form.

    Conflict: a newer flinkform wrote this database.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = db
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head()
    found = MigrationContext.configure(db).get_current_revision()
    if found == head:
        return
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise Conflict(
            f"expected a database of form {head} or older, got {found}",
            advice="a newer flinkform wrote it: run that one",
        )
    command.upgrade(config, to)
