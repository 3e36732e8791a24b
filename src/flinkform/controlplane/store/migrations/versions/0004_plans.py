"""Runs keep the compiled plan they run from, and savepoints that of a run that is gone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("plan", sa.Text(), nullable=True))
    op.add_column("savepoints", sa.Column("plan", sa.Text(), nullable=True))
