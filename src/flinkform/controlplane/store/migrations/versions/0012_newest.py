"""Events: a namespace's newest are found without looking at the others."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_events_workspace_namespace_seq"), "events", ["workspace", "namespace", "seq"])
