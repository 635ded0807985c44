"""Indexes that answer lists of dead letters by dates, and Activity's minutes, without looking at the rows

Each holds all that is filtered by, so an older version that still runs is slower with these pages, on SQLite refused.

Revision ID: 0035
Revises: 0034
"""

from __future__ import annotations

from integration.models.migrations import online

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_DIED, _REPLAYED = "died_at IS NOT NULL", "replayed_at IS NOT NULL"
_DEAD, _CONFLICT = "state = 'dead'", "state = 'conflict'"
_CAUSE = ("category", "kind", "error_code")
#: Index -> the columns of a delivery behind its connector, and which rows.
_NEW = {
    "ix_delivery_died_when": (("state", "died_at", *_CAUSE, "id"), _DIED),
    "ix_delivery_died_order": (("state", "id", "died_at", *_CAUSE), _DIED),
    "ix_delivery_replayed_order": (("id", "state", "died_at", *_CAUSE), _REPLAYED),
    "ix_delivery_letter_cause": (("error_code", "id", "category", "kind"), _DEAD),
    "ix_delivery_died_minute": (("died_at", "error_code", "state", "id"), _DIED),
    "ix_delivery_conflict_minute": (("settled_at", "error_code", "id"), _CONFLICT),
}
_OLD = {
    "ix_delivery_letter_died": (("died_at",), _DEAD),
    "ix_delivery_died_state": (("state", "id"), _DIED),
    "ix_delivery_replayed": (("id",), _REPLAYED),
    "ix_delivery_letter_code": (("error_code", "id"), _DEAD),
    "ix_delivery_died_at": (("died_at", "error_code"), _DIED),
    "ix_delivery_conflict": (("settled_at", "error_code"), _CONFLICT),
}


def upgrade() -> None:
    """Build them beside what goes on, then take away those that they stand for."""
    _exchange(_NEW, _OLD)


def downgrade() -> None:
    """Build the former ones again."""
    _exchange(_OLD, _NEW)


def _exchange(
    built: dict[str, tuple[tuple[str, ...], str]], dropped: dict[str, tuple[tuple[str, ...], str]]
) -> None:
    for name, (columns, where) in built.items():
        online.create_index(name, "delivery", ("connector_id", *columns), where=where)
    for name in dropped:
        online.drop_index(name, "delivery")
