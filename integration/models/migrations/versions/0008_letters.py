"""One open dead letter per record: what was piled up is folded into the newest failure

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DEAD = sa.text("state = 'dead'")
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add how often a record failed, fold older dead letters into the newest one, and let no second one in."""
    op.add_column("delivery", sa.Column("failures", _KEY, server_default="0", nullable=False))
    op.add_column("delivery", sa.Column("failing_since", UtcDateTime(timezone=True), nullable=True))
    op.add_column("delivery", sa.Column("closed_by", _KEY, nullable=True))
    op.execute(
        "UPDATE delivery SET failing_since = (SELECT MIN(o.died_at) FROM delivery o WHERE o.state = 'dead' "
        "AND o.connector_id = delivery.connector_id AND o.kind = delivery.kind AND o.source_id = delivery.source_id), "
        "failures = (SELECT COUNT(*) FROM delivery o WHERE o.state = 'dead' "
        "AND o.connector_id = delivery.connector_id AND o.kind = delivery.kind AND o.source_id = delivery.source_id) "
        "WHERE state = 'dead'"
    )
    _fold()
    op.create_index(
        "uq_delivery_letter",
        "delivery",
        ["connector_id", "source_id", "kind"],
        unique=True,
        sqlite_where=_DEAD,
        postgresql_where=_DEAD,
    )


def _fold() -> None:
    """Close all but the newest dead letter of each record, in the rows and in the hourly counts."""
    op.execute(
        "UPDATE delivery SET closed_by = (SELECT MAX(o.id) FROM delivery o WHERE o.state = 'dead' "
        "AND o.connector_id = delivery.connector_id AND o.kind = delivery.kind AND o.source_id = delivery.source_id) "
        "WHERE state = 'dead'"
    )
    op.execute("UPDATE delivery SET closed_by = NULL WHERE closed_by = id")
    op.execute("UPDATE delivery SET state = 'closed', payload = NULL WHERE state = 'dead' AND closed_by IS NOT NULL")
    _count_anew()


def _count_anew() -> None:
    hour = "strftime('%Y-%m-%d %H:00:00.000000', created_at)"
    if op.get_bind().dialect.name == "postgresql":
        hour = "date_trunc('hour', created_at, 'UTC')"
    op.execute("DELETE FROM record_count WHERE state IN ('dead', 'closed')")
    op.execute(
        "INSERT INTO record_count (connector_id, hour, kind, state, result, records) "
        f"SELECT connector_id, {hour}, kind, state, result, COUNT(*) FROM delivery "
        "WHERE state IN ('dead', 'closed') GROUP BY 1, 2, 3, 4, 5"
    )


def downgrade() -> None:
    """Open what was closed and forget how often a record failed."""
    op.drop_index("uq_delivery_letter", "delivery")
    op.execute("UPDATE delivery SET state = 'dead' WHERE state = 'closed'")
    _count_anew()
    for column in ("failures", "failing_since", "closed_by"):
        op.drop_column("delivery", column)
