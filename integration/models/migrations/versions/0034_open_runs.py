"""Runs that go or wait are found by themselves, however many there were

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

from integration.models.migrations import online

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build the index beside those who read and write."""
    online.create_index("ix_run_open", "run", ["connector_id", "id"], where="state IN ('PENDING', 'RUNNING')")


def downgrade() -> None:
    """Drop it."""
    online.drop_index("ix_run_open", "run")
