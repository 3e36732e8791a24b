"""What Alembic runs to migrate: the caller's connection, inside the caller's transaction."""

from __future__ import annotations

from alembic import context

from flinkform.controlplane.store.tables import METADATA

# SQLite's DDL is transactional once the driver's own ideas about transactions are off, which ours are.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()
