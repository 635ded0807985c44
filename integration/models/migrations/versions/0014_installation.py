"""What the installation knows of itself: its public address, and the check of its key

Revision ID: 0014
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; its row is made at the next start."""
    op.create_table(
        "installation",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("public_address", sa.String(500), nullable=False),
        sa.Column("key_check", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )


def downgrade() -> None:
    """Forget both; the next start makes them again."""
    op.drop_table("installation")
