"""What programs have sent under an idempotency key

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "inbound_request",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("connector_id", key, nullable=False),
        sa.Column("token_id", key, nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"], ["connector.id"], name=op.f("fk_inbound_request_connector_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_request")),
    )
    op.create_index("uq_inbound_request_key", "inbound_request", ["connector_id", "token_id", "key"], unique=True)
    op.create_index("ix_inbound_request_created_at", "inbound_request", ["created_at"])


def downgrade() -> None:
    """Forget the keys; what was sent stays."""
    op.drop_table("inbound_request")
