"""Carts that were left at the checkout, and the name that the shop's pages call the connector by

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

import secrets

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ACTIVE = sa.text("state = 'active' AND email <> ''")
_PREPARED = sa.text("state = 'abandoned' AND prepared_at IS NULL")


def upgrade() -> None:
    """Add the tables, and give each connector its name."""
    _carts()
    _events()
    # Not in a batch: SQLite would make the table anew, and take every row that hangs on it away with the old one.
    op.add_column("connector", sa.Column("cart_key", sa.String(32), nullable=True))
    op.create_index("uq_connector_cart_key", "connector", ["cart_key"], unique=True)
    _name_connectors()


def downgrade() -> None:
    """Forget all carts."""
    op.drop_index("uq_connector_cart_key", table_name="connector")
    op.drop_column("connector", "cart_key")
    op.drop_table("cart_event")
    op.drop_table("cart")


def _number(name: str, *, nullable: bool = False, autoincrement: bool = False) -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, nullable=nullable, autoincrement=autoincrement)


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[str]:
    return sa.Column(name, UtcDateTime(), nullable=nullable)


def _carts() -> None:
    op.create_table(
        "cart",
        _number("id", autoincrement=True),
        _number("connector_id"),
        _text("key", 64),
        _text("state", 12),
        _text("source", 12),
        sa.Column("page", sa.String(200), server_default="", nullable=False),
        _text("email", 254),
        _text("person_key", 64),
        sa.Column("items", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("lines", sa.JSON(none_as_null=True), nullable=True),
        _text("currency", 10),
        _text("total", 40),
        _text("fingerprint", 64),
        _number("sequence"),
        sa.Column("consent", sa.JSON(none_as_null=True), nullable=True),
        _number("order_id", nullable=True),
        _number("customer_id", nullable=True),
        _moment("created_at", nullable=False),
        _moment("changed_at", nullable=False),
        _moment("seen_at", nullable=False),
        _moment("abandoned_at"),
        _moment("announce_until"),
        _moment("prepared_at"),
        _moment("due_at"),
        _number("tries"),
        _moment("synced_at"),
        _moment("ended_at"),
        _number("contact_id", nullable=True),
        _text("reason", 40),
        sa.Column("problem", sa.Text(), nullable=False),
        _number("coupon_id", nullable=True),
        _text("coupon_code", 64),
        _moment("coupon_until"),
        _text("token_digest", 64, nullable=True),
        _number("opens"),
        _moment("opened_at"),
        _text("proof", 12),
        _number("bought_order_id", nullable=True),
        _text("revenue", 40),
        _text("revenue_currency", 10),
        sa.ForeignKeyConstraint(
            ["connector_id"], ["connector.id"], name=op.f("fk_cart_connector_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_cart_token_digest")),
    )
    op.create_index("uq_cart_key", "cart", ["connector_id", "key"], unique=True)
    op.create_index(
        "ix_cart_idle", "cart", ["connector_id", "changed_at"], sqlite_where=_ACTIVE, postgresql_where=_ACTIVE
    )
    op.create_index("ix_cart_due", "cart", ["due_at"], sqlite_where=_PREPARED, postgresql_where=_PREPARED)
    op.create_index("ix_cart_state", "cart", ["connector_id", "state", "id"])
    op.create_index("ix_cart_person", "cart", ["connector_id", "person_key"])
    op.create_index("ix_cart_order", "cart", ["connector_id", "order_id"])
    op.create_index("ix_cart_bought", "cart", ["connector_id", "bought_order_id"])
    op.create_index("ix_cart_coupon", "cart", ["connector_id", "coupon_code"])
    op.create_index("ix_cart_created", "cart", ["connector_id", "created_at"])


def _events() -> None:
    op.create_table(
        "cart_event",
        _number("id", autoincrement=True),
        _number("cart_id"),
        _moment("at", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["cart_id"], ["cart.id"], name=op.f("fk_cart_event_cart_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cart_event")),
    )
    op.create_index("ix_cart_event_cart", "cart_event", ["cart_id", "id"])


def _name_connectors() -> None:
    connector = sa.table("connector", sa.column("id"), sa.column("cart_key"))
    bind = op.get_bind()
    for number in bind.scalars(sa.select(connector.c.id)).all():
        named = sa.update(connector).where(connector.c.id == number).values(cart_key=secrets.token_urlsafe(12))
        bind.execute(named)
