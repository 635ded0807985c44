"""Indexes that answer lists of dead letters by cause, category or entity and dates by no others than those

Only dead letters are in them. An older version that still runs works beside them.

Revision ID: 0037
Revises: 0036
"""

from __future__ import annotations

from integration.models.migrations import online

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

#: Index -> the columns of a delivery behind its connector.
_NEW = {
    "ix_delivery_letter_when": ("category", "kind", "died_at", "error_code", "id"),
    "ix_delivery_letter_cause_when": ("error_code", "kind", "died_at", "category", "id"),
}


def upgrade() -> None:
    """Build them beside what goes on."""
    for name, columns in _NEW.items():
        online.create_index(name, "delivery", ("connector_id", *columns), where="state = 'dead'")


def downgrade() -> None:
    """Take them away."""
    for name in _NEW:
        online.drop_index(name, "delivery")
