"""Categories of products, the store's recurring orders, and each buyer's RFM scores

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; what they hold is read, or counted, when it is first needed."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "product_categories",
        sa.Column("connector_id", number, nullable=False),
        sa.Column("product_id", number, autoincrement=False, nullable=False),
        sa.Column("slugs", sa.JSON(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        _of_connector("product_categories"),
        sa.PrimaryKeyConstraint("connector_id", "product_id", name=op.f("pk_product_categories")),
    )
    op.create_table(
        "recurring_order",
        sa.Column("connector_id", number, nullable=False),
        sa.Column("recurring_id", number, autoincrement=False, nullable=False),
        sa.Column("person_key", sa.String(64), nullable=False),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("products", sa.JSON(), nullable=False),
        sa.Column("modified_at", UtcDateTime(), nullable=True),
        _of_connector("recurring_order"),
        sa.PrimaryKeyConstraint("connector_id", "recurring_id", name=op.f("pk_recurring_order")),
    )
    op.create_index("ix_recurring_order_person_key", "recurring_order", ["connector_id", "person_key"])
    op.create_table(
        "buyer_score",
        sa.Column("id", number, autoincrement=True, nullable=False),
        sa.Column("connector_id", number, nullable=False),
        sa.Column("person_key", sa.String(64), nullable=False),
        sa.Column("recency", number, nullable=False),
        sa.Column("frequency", number, nullable=False),
        sa.Column("monetary", number, nullable=False),
        sa.Column("scored_at", UtcDateTime(), nullable=False),
        _of_connector("buyer_score"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buyer_score")),
    )
    op.create_index("uq_buyer_score_person", "buyer_score", ["connector_id", "person_key"], unique=True)
    op.add_column("connector", sa.Column("score_report", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Drop the tables; the tags and fields in Mautic stay."""
    op.drop_column("connector", "score_report")
    for table in ("buyer_score", "recurring_order", "product_categories"):
        op.drop_table(table)


def _of_connector(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_connector_id")
    return sa.ForeignKeyConstraint(["connector_id"], ["connector.id"], name=name, ondelete="CASCADE")
