"""What the reconciler remembers of a run's failures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("troubles", sa.JSON(), nullable=False, server_default="{}"))
