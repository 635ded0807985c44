"""People who were erased, and addresses of which nothing is taken any more

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Add the tables."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "erasure",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("receipt", sa.String(36), nullable=False),
        sa.Column("organisation_id", key, nullable=False),
        sa.Column("connector_id", key, nullable=True),
        sa.Column("address_hash", sa.String(64), nullable=False),
        sa.Column("in_mautic", sa.String(10), nullable=False),
        sa.Column("block", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("asked_by", sa.String(254), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("tries", key, nullable=False),
        sa.Column("lease_token", sa.String(32), nullable=True),
        sa.Column("leased_until", UtcDateTime(), nullable=True),
        sa.Column("traces", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("in_systems", sa.JSON(), nullable=False),
        sa.Column("remains", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_erasure_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sa.UniqueConstraint("receipt", name=op.f("uq_erasure_receipt")),
    )
    op.create_index("ix_erasure_page", "erasure", ["organisation_id", "id"])
    op.create_index("ix_erasure_open", "erasure", ["due_at"], sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_table(
        "blocked_address",
        sa.Column("organisation_id", key, nullable=False),
        sa.Column("connector_id", key, autoincrement=False, nullable=False),
        sa.Column("person_key", sa.String(64), nullable=False),
        sa.Column("blocked_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_blocked_address_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "connector_id", "person_key", name=op.f("pk_blocked_address")),
    )


def downgrade() -> None:
    """Forget all receipts and all blocked addresses."""
    op.drop_table("blocked_address")
    op.drop_table("erasure")
