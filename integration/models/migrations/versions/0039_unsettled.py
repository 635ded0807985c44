"""Indexes that find what is open, dead or partial of a record or a person without all that was ever sent of them

Few records are in them. An older version that still runs works beside them.

Revision ID: 0039
Revises: 0038
"""

from __future__ import annotations

from integration.models.migrations import online

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

#: Index -> the columns of a delivery behind its connector, and the rows that are in it.
_NEW = {
    "ix_delivery_open_source": (("source_id", "kind"), "state IN ('waiting', 'ready', 'leased')"),
    "ix_delivery_partial_source": (("source_id", "kind"), "partial"),
    "ix_delivery_letter_person": (("person_key",), "state = 'dead'"),
}


def upgrade() -> None:
    """Build them beside what goes on."""
    for name, (columns, where) in _NEW.items():
        online.create_index(name, "delivery", ("connector_id", *columns), where=where)


def downgrade() -> None:
    """Take them away."""
    for name in _NEW:
        online.drop_index(name, "delivery")
