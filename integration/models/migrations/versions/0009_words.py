"""The field's own words: a person key, and the event that a delivery is about

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_KEYED = ("contact_link", "delivery", "order_ledger", "sync_log", "unanswered_person", "reconciled", "drift")
_INDEXES = (
    ("delivery", "ix_delivery_subject", "ix_delivery_person_key", ["connector_id", "person_key", "id"], False),
    ("order_ledger", "ix_order_ledger_subject", "ix_order_ledger_person_key", ["connector_id", "person_key"], False),
    ("sync_log", "ix_sync_log_subject", "ix_sync_log_person_key", ["connector_id", "person_key", "id"], False),
    ("drift", "uq_drift_subject", "uq_drift_person_key", ["reconciliation_id", "person_key"], True),
)


def upgrade() -> None:
    """Rename columns and the indexes that bear their names; no row is touched."""
    for table in _KEYED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN subject TO person_key")
    op.execute("ALTER TABLE delivery RENAME COLUMN what TO event")
    for table, old, new, columns, unique in _INDEXES:
        _rename(table, old, new, columns, unique)


def downgrade() -> None:
    """Give columns and indexes their former names back."""
    for table in _KEYED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN person_key TO subject")
    op.execute("ALTER TABLE delivery RENAME COLUMN event TO what")
    for table, old, new, columns, unique in _INDEXES:
        _rename(table, new, old, ["subject" if name == "person_key" else name for name in columns], unique)


def _rename(table: str, old: str, new: str, columns: list[str], unique: bool) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER INDEX {old} RENAME TO {new}")
        return
    # SQLite cannot rename an index.
    op.drop_index(old, table_name=table)
    op.create_index(new, table, columns, unique=unique)
