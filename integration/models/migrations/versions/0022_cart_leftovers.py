"""What carts have left behind elsewhere, kept until it is taken away

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "cart_leftover",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("connector_id", key, nullable=False),
        sa.Column("cart_id", key, nullable=False),
        sa.Column("person_key", sa.String(64), nullable=False),
        sa.Column("coupon_id", key, nullable=True),
        sa.Column("coupon_code", sa.String(64), nullable=False),
        sa.Column("noted_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"], ["connector.id"], name=op.f("fk_cart_leftover_connector_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_leftover")),
    )
    op.create_index("ix_cart_leftover_due", "cart_leftover", ["connector_id", "due_at"])


def downgrade() -> None:
    """Forget what is left; coupons expire by themselves."""
    op.drop_table("cart_leftover")
