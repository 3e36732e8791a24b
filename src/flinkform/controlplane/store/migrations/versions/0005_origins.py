"""Runs keep what they first began from, which a recovery does not change."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("began_from", sa.Text(), nullable=True))
    # A place with the run's own Flink job id in it is what it was recovered from.
    op.execute(
        "UPDATE runs SET began_from = restored_from WHERE restored_from NOT LIKE '%' || replace(id, '-', '') || '%'"
    )
