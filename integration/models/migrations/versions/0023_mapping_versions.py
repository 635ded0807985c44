"""The versions of a connector's own field mapping

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "mapping_version",
        sa.Column("id", key, autoincrement=True, nullable=False),
        sa.Column("connector_id", key, nullable=False),
        sa.Column("number", key, nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("author", sa.String(254), server_default="", nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("back_to", key, nullable=True),
        sa.ForeignKeyConstraint(
            ["connector_id"], ["connector.id"], name=op.f("fk_mapping_version_connector_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_version")),
    )
    op.create_index("uq_mapping_version_number", "mapping_version", ["connector_id", "number"], unique=True)


def downgrade() -> None:
    """Take it away again."""
    op.drop_table("mapping_version")
