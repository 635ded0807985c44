"""When an order was noted as gone: what is read from the store afterwards gives it back

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of orders that are gone already nothing is known, so that any reading gives them back."""
    with op.batch_alter_table("order_ledger", schema=None) as batch_op:
        batch_op.add_column(sa.Column("gone_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Forget when orders went."""
    with op.batch_alter_table("order_ledger", schema=None) as batch_op:
        batch_op.drop_column("gone_at")
