"""What a store is known by, so that a copy of it is noticed

Revision ID: 0028
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; each connector gets to know its store with the next read."""
    op.add_column("connector", sa.Column("fingerprint", sa.JSON(), server_default=sa.text("'{}'"), nullable=False))


def downgrade() -> None:
    """Take it away; a connector that is read-only is paused, the nearest that an older version knows."""
    op.execute("UPDATE connector SET state = 'paused' WHERE state = 'read_only'")
    op.drop_column("connector", "fingerprint")
