"""Calls to Mautic without an answer, and the people who wait for what became of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "unanswered_call",
        sa.Column("id", _INT, primary_key=True, autoincrement=True),
        _connector(),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("rows", _INT, nullable=False),
        sa.Column("pause_s", sa.Float(), nullable=False),
        sa.Column("look_at", UtcDateTime(), nullable=False),
        sa.Column("looks", _INT, nullable=False),
    )
    op.create_index("ix_unanswered_call_look", "unanswered_call", ["connector_id", "look_at"])
    op.create_table(
        "unanswered_person",
        _connector(primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        sa.Column("call_id", _INT, sa.ForeignKey("unanswered_call.id", ondelete="CASCADE"), nullable=False),
        sa.Column("seen", _INT),
    )
    op.create_index("ix_unanswered_person_call", "unanswered_person", ["call_id"])


def _connector(*, primary_key: bool = False) -> sa.Column[int]:
    key = sa.ForeignKey("connector.id", ondelete="CASCADE")
    return sa.Column("connector_id", _INT, key, nullable=False, primary_key=primary_key)


def downgrade() -> None:
    """Take both tables away again."""
    op.drop_table("unanswered_person")
    op.drop_table("unanswered_call")
