"""Things that are only kept: members, variables, folders and their like."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "things",
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("workspace", sa.Text(), nullable=False),
        sa.Column("namespace", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("creator", sa.Text(), nullable=False),
        sa.Column("modifier", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("modified_at", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace", "namespace"],
            ["namespaces.workspace", "namespaces.name"],
            name=op.f("fk_things_workspace"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("type", "workspace", "namespace", "id", name=op.f("pk_things")),
    )
    name = op.f("ix_things_type_workspace_namespace_name")
    op.create_index(name, "things", ["type", "workspace", "namespace", "name"], unique=True)
