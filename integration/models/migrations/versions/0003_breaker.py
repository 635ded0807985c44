"""Tries that count against a record, and attempts that stand for several tries

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply; until now each counted attempt was one that counted against the record."""
    with op.batch_alter_table("delivery") as batch_op:
        batch_op.add_column(sa.Column("faults", _COUNT, nullable=False, server_default="0"))
    op.execute("UPDATE delivery SET faults = attempts WHERE state IN ('waiting', 'ready', 'leased') AND attempts > 0")
    with op.batch_alter_table("attempt") as batch_op:
        batch_op.add_column(sa.Column("tries", _COUNT, nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("last_at", UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("attempt") as batch_op:
        batch_op.drop_column("last_at")
        batch_op.drop_column("tries")
    with op.batch_alter_table("delivery") as batch_op:
        batch_op.drop_column("faults")
