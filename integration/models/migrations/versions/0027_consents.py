"""Each consent that was given or withdrawn, kept as evidence

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_WAITING = sa.text("write_back = 'waiting'")
_TEXTS = {
    "person_key": 64,
    "email": 320,
    "state": 12,
    "source": 10,
    "ref": 60,
    "key": 255,
    "value": 200,
    "wording": 500,
    "version": 8,
}


def upgrade() -> None:
    """Add the table."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "consent",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("connector_id", key, nullable=False),
        *(sa.Column(name, sa.String(length), nullable=False) for name, length in _TEXTS.items()),
        sa.Column("said_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("mark", sa.String(64), nullable=False),
        sa.Column("write_back", sa.String(300), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"], ["connector.id"], name=op.f("fk_consent_connector_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
    )
    op.create_index("ix_consent_page", "consent", ["connector_id", "id"])
    op.create_index("ix_consent_person", "consent", ["connector_id", "person_key", "id"])
    op.create_index("ix_consent_state", "consent", ["connector_id", "state", "id"])
    op.create_index("uq_consent_mark", "consent", ["connector_id", "mark"], unique=True)
    op.create_index(
        "ix_consent_waiting",
        "consent",
        ["connector_id", "id"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )


def downgrade() -> None:
    """Forget all consents, and with them the evidence."""
    op.drop_table("consent")
