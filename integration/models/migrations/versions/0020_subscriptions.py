"""Who has filled in the subscribe form

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    """Add the table."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "subscription",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("connector_id", key, nullable=False),
        _text("state", 12),
        _text("email", 254),
        _text("person_key", 64),
        _text("first_name", 100),
        _text("last_name", 100),
        _text("consent_text", 500),
        _text("source", 10),
        _text("page", 300),
        _text("ip", 45),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("token_digest", sa.String(64), nullable=True),
        sa.Column("mailed_at", UtcDateTime(), nullable=True),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        _text("confirmed_ip", 45),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("contact_id", key, nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"], ["connector.id"], name=op.f("fk_subscription_connector_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_subscription_token_digest")),
    )
    op.create_index("ix_subscription_page", "subscription", ["connector_id", "id"])
    op.create_index("ix_subscription_state", "subscription", ["connector_id", "state", "id"])
    op.create_index("ix_subscription_person", "subscription", ["connector_id", "person_key", "created_at"])
    op.create_index(
        "ix_subscription_pending",
        "subscription",
        ["connector_id", "created_at"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )


def downgrade() -> None:
    """Forget all subscriptions, and with them the evidence of every consent."""
    op.drop_table("subscription")


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False)
