"""Deployments: the index of a list is in its order, so that its last page costs hardly more than its first."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    former = op.f("ix_deployments_workspace_namespace_created_at")
    op.drop_index(former, "deployments")
    op.create_index(op.f(f"{former}_id"), "deployments", ["workspace", "namespace", "created_at", "id"])
