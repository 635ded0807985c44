"""The products of each order in the ledger: a tag goes only when no other completed order holds its product.

Revision ID: 0007
Revises: 0006
"""

from alembic import op
import sqlalchemy as sa


revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # None: not known until the order is read with its lines again.
    with op.batch_alter_table("order_ledger", schema=None) as batch_op:
        batch_op.add_column(sa.Column("products", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("order_ledger", schema=None) as batch_op:
        batch_op.drop_column("products")
