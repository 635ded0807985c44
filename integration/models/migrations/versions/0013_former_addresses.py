"""Addresses that accounts have left, and whose each account was when it was last read

Revision ID: 0013
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table, and the person of an account; it is "" until the account is read again."""
    op.add_column("customer_mark", sa.Column("person_key", sa.String(64), server_default="", nullable=False))
    connector = sa.ForeignKey("connector.id", ondelete="CASCADE", name=op.f("fk_former_address_connector_id"))
    op.create_table(
        "former_address",
        sa.Column("connector_id", _INT, connector, nullable=False),
        sa.Column("person_key", sa.String(64), nullable=False),
        sa.Column("customer_id", _INT, nullable=False),
        sa.Column("now_key", sa.String(64), nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.PrimaryKeyConstraint("connector_id", "person_key", name=op.f("pk_former_address")),
    )
    op.create_index("ix_former_address_now", "former_address", ["connector_id", "now_key"])


def downgrade() -> None:
    """Take both away again."""
    op.drop_table("former_address")
    op.drop_column("customer_mark", "person_key")
