"""Runs keep what they take of their namespace, so that a start need not read every definition."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from flinkform.controlplane import units

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_LIVE = ("STARTING", "RUNNING", "CANCELLING")


def upgrade() -> None:
    op.add_column("runs", sa.Column("units", sa.Float(), nullable=False, server_default="0"))
    name = op.f("ix_runs_workspace_namespace_state_units")
    op.create_index(name, "runs", ["workspace", "namespace", "state", "units"])
    runs = sa.table("runs", *(sa.column(one) for one in ("id", "state", "units")), sa.column("definition", sa.JSON()))
    db = op.get_bind()
    for run_id, definition in db.execute(sa.select(runs.c.id, runs.c.definition).where(runs.c.state.in_(_LIVE))).all():
        db.execute(sa.update(runs).where(runs.c.id == run_id).values(units=units.of_job(definition)))
