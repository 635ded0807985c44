"""Stamps of people of whom nothing differed when they were compared last

An older version that still runs makes and looks at none.

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "person_stamp",
        sa.Column("connector_id", number, nullable=False),
        sa.Column("person_key", sa.String(64), nullable=False),
        sa.Column("stamp", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"], ["connector.id"], name=op.f("fk_person_stamp_connector_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connector_id", "person_key", name=op.f("pk_person_stamp")),
    )


def downgrade() -> None:
    """Take it away."""
    op.drop_table("person_stamp")
