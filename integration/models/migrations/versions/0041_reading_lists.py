"""The orders of a large store in order of their buyers, as a run reads them

An older version that still runs beside it reads them in order of their ids, as before.

Revision ID: 0041
Revises: 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; it is empty but while a large store is read."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "reading_list",
        sa.Column("run_id", number, sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("place", number, primary_key=True, autoincrement=False),
        sa.Column("calls", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    """Take it away; runs that read by it begin their orders again."""
    op.drop_table("reading_list")
