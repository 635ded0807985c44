"""Stamps of records of which nothing had to be sent, and of orders of which nothing had to be noted

An older version that still runs makes and looks at none.

Revision ID: 0036
Revises: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_TEXTS = {"kind": 20, "source_id": 40, "person_key": 64, "row": 32, "stamp": 32, "event": 40, "number": 60,
          "version": 100, "code": 40}  # fmt: skip


def upgrade() -> None:
    """Add the table, and a column that no row has to be written anew for."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "record_stamp",
        sa.Column("connector_id", number, nullable=False),
        *(sa.Column(name, sa.String(length), nullable=False) for name, length in _TEXTS.items()),
        sa.Column("modified_at", UtcDateTime(), nullable=True),
        sa.Column("reached_at", UtcDateTime(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("contact_id", number, nullable=True),
        sa.ForeignKeyConstraint(
            ["connector_id"], ["connector.id"], name=op.f("fk_record_stamp_connector_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connector_id", "kind", "source_id", name=op.f("pk_record_stamp")),
    )
    op.create_index("ix_record_stamp_person_key", "record_stamp", ["connector_id", "person_key"])
    op.add_column("order_ledger", sa.Column("listed", sa.String(32), server_default="", nullable=False))


def downgrade() -> None:
    """Take them away."""
    op.drop_column("order_ledger", "listed")
    op.drop_table("record_stamp")
