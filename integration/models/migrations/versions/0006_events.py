"""Events: when an order reached its status, and since when a note or an e-mail of a status is wanted

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import json
from datetime import UTC
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moments; what was set before counts from now on, what waits keeps its note."""
    op.add_column("delivery", sa.Column("reached_at", UtcDateTime(), nullable=True))
    op.add_column("order_ledger", sa.Column("reached_at", UtcDateTime(), nullable=True))
    op.add_column(
        "connector",
        sa.Column("triggers", sa.JSON(none_as_null=True), server_default=sa.text("'{}'"), nullable=False),
    )
    _set_triggers()
    # Imports and dead letters that a person sends again still write their notes; e-mails are kept back by the triggers.
    op.execute(
        "UPDATE delivery SET reached_at = COALESCE(modified_at, created_at) "
        "WHERE kind = 'order' AND state IN ('waiting', 'ready', 'leased', 'dead')"
    )


def _set_triggers() -> None:
    connector = sa.table(
        "connector",
        sa.column("id", sa.BigInteger()),
        sa.column("settings", sa.JSON()),
        sa.column("triggers", sa.JSON()),
    )
    connection = op.get_bind()
    now = datetime.now(UTC).isoformat()
    for number, settings in connection.execute(sa.select(connector.c.id, connector.c.settings)).all():
        found = dict.fromkeys(_triggers(settings), now)
        if found:
            connection.execute(connector.update().where(connector.c.id == number).values(triggers=found))


def _triggers(settings: Any) -> list[str]:
    stored = json.loads(settings) if isinstance(settings, str) else settings
    orders = (stored or {}).get("orders") or {}
    emails = [f"orders.emails:{status}" for status, number in (orders.get("emails") or {}).items() if number]
    return emails + (["orders.notes"] if orders.get("notes") else [])


def downgrade() -> None:
    """Take the columns away again."""
    op.drop_column("connector", "triggers")
    op.drop_column("order_ledger", "reached_at")
    op.drop_column("delivery", "reached_at")
