"""A run's figures add up and stay; records that left a run; attempts over all times a record was sent again

Revision ID: 0012
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_FIGURES = ("waiting", "already", "partial", "late_pushed", "late_skipped", "late_failed")


def upgrade() -> None:
    """Add the figures and count what ended runs have waiting."""
    for name in _FIGURES:
        op.add_column("run", sa.Column(name, _KEY, server_default="0", nullable=False))
    op.add_column("delivery", sa.Column("former_attempts", _KEY, server_default="0", nullable=False))
    op.create_table(
        "former_record",
        sa.Column("run_id", _KEY, nullable=False),
        sa.Column("delivery_id", _KEY, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("result", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_former_record_run_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["delivery_id"], ["delivery.id"], name=op.f("fk_former_record_delivery_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "delivery_id", name=op.f("pk_former_record")),
    )
    op.create_index("ix_former_record_delivery", "former_record", ["delivery_id"])
    op.execute(
        "UPDATE run SET waiting = (SELECT COUNT(*) FROM delivery WHERE delivery.run_id = run.id "
        "AND delivery.state IN ('waiting', 'ready', 'leased')) WHERE ended_at IS NOT NULL"
    )


def downgrade() -> None:
    """Drop the figures and the records that left their run."""
    op.drop_table("former_record")
    op.drop_column("delivery", "former_attempts")
    for name in _FIGURES:
        op.drop_column("run", name)
