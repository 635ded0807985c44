"""The leases of one connector are counted at each claim

Revision ID: 0017
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0014"
branch_labels = None
depends_on = None

_LEASED = sa.text("state = 'leased'")


def upgrade() -> None:
    """Let the index of leased deliveries begin with the connector."""
    _index("connector_id", "lease_token", "leased_until")


def downgrade() -> None:
    """Let it hold only the end of the lease again."""
    _index("leased_until")


def _index(*columns: str) -> None:
    op.drop_index("ix_delivery_leased", table_name="delivery")
    op.create_index(
        "ix_delivery_leased", "delivery", list(columns), sqlite_where=_LEASED, postgresql_where=_LEASED
    )
