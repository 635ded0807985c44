"""Paused runs are found however many have ended

Revision ID: 0042
Revises: 0041
"""

from __future__ import annotations

from integration.models.migrations import online

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build the index beside what goes on; it has hardly a row."""
    online.create_index("ix_run_paused", "run", ("connector_id", "id"), where="state = 'PAUSED'")


def downgrade() -> None:
    """Take it away."""
    online.drop_index("ix_run_paused", "run")
