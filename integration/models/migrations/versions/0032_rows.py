"""Indexes by which every list is read at its newest end, however many rows a connector has

Revision ID: 0032
Revises: 0028
"""

from __future__ import annotations

from integration.models.migrations import online

revision = "0032"
down_revision = "0028"
branch_labels = None
depends_on = None

_SETTLED, _DEAD, _DIED = "settled_at IS NOT NULL", "state = 'dead'", "died_at IS NOT NULL"
_OPEN, _CONFLICT = "state IN ('waiting', 'ready', 'leased')", "state = 'conflict'"
#: Index -> the columns of a delivery behind its connector, and which rows.
_DELIVERY = {
    "ix_delivery_state_kind": (("state", "kind", "id"), _SETTLED),
    "ix_delivery_result_kind": (("result", "kind", "id"), _SETTLED),
    "ix_delivery_open": (("id",), _OPEN),
    "ix_delivery_died_state": (("state", "id"), _DIED),
    "ix_delivery_died_at": (("died_at", "error_code"), _DIED),
    "ix_delivery_conflict": (("settled_at", "error_code"), _CONFLICT),
    "ix_delivery_letter_category": (("category", "id"), _DEAD),
    "ix_delivery_letter_kind": (("kind", "id"), _DEAD),
    "ix_delivery_letter_both": (("category", "kind", "id"), _DEAD),
    "ix_delivery_letter_code": (("error_code", "id"), _DEAD),
    "ix_delivery_letter_died": (("died_at",), _DEAD),
    "ix_delivery_letter_number": (("number",), _DEAD),
    "ix_delivery_letter_source": (("source_id",), _DEAD),
    "ix_delivery_letter_since": (("error_code", "category", "failing_since"), _DEAD),
}
_PREFIXES = {"ix_delivery_letter_number": "number", "ix_delivery_letter_source": "source_id"}
_LOG = {"ix_sync_log_error_type": "type", "ix_sync_log_error_action": "action"}


def upgrade() -> None:
    """Build them beside what goes on; the one that the newer ones stand for goes."""
    for name, (columns, where) in _DELIVERY.items():
        online.create_index(
            name, "delivery", ("connector_id", *columns), where=where, prefix=_PREFIXES.get(name)
        )
    online.create_index("ix_delivery_run_state", "delivery", ("run_id", "state", "id"), where=_SETTLED)
    for name, column in _LOG.items():
        online.create_index(name, "sync_log", ("connector_id", column, "id"), where="status = 'error'")
    online.create_index("ix_run_ended", "run", ("connector_id", "ended_at"))
    online.drop_index("ix_delivery_died", "delivery")


def downgrade() -> None:
    """Take them away again."""
    online.create_index("ix_delivery_died", "delivery", ("connector_id", "id"), where=_DIED)
    online.drop_index("ix_run_ended", "run")
    for name in _LOG:
        online.drop_index(name, "sync_log")
    for name in ("ix_delivery_run_state", *_DELIVERY):
        online.drop_index(name, "delivery")
