"""The browser of a session

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add it; it is "" for sessions that began before."""
    op.add_column("user_session", sa.Column("browser", sa.String(60), server_default="", nullable=False))


def downgrade() -> None:
    """Take it away again."""
    op.drop_column("user_session", "browser")
