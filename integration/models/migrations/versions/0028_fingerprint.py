"""What a store is known by, so that a copy of it is noticed; runs can be paused

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; each connector gets to know its store with the next read."""
    op.add_column("run", sa.Column("pause_asked_at", UtcDateTime(), nullable=True))
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("run", sa.Column("rested_s", number, server_default="0", nullable=False))
    op.add_column("connector", sa.Column("fingerprint", sa.JSON(), server_default=sa.text("'{}'"), nullable=False))


def downgrade() -> None:
    """Take them away; what an older version does not know becomes the nearest that it knows."""
    op.execute("UPDATE run SET state = 'FAILED', ended_at = pause_asked_at WHERE state = 'PAUSED'")
    op.drop_column("run", "rested_s")
    op.drop_column("run", "pause_asked_at")
    op.execute("UPDATE connector SET state = 'paused' WHERE state = 'read_only'")
    op.drop_column("connector", "fingerprint")
