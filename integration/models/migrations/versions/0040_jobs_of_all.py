"""Jobs that one process does for all, what each process knows of its disk, and the few runs that are looked for

An older version that still runs works beside them: it looks for what is wrong by itself, in every process.

Revision ID: 0040
Revises: 0039
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime
from integration.models.migrations import online

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Build the indexes beside what goes on, then make the two small tables."""
    online.create_index("ix_run_failed", "run", ("connector_id", "created_at"), where="state = 'FAILED'")
    online.create_index("ix_run_compared", "run", ("connector_id", "id"), where="kind = 'reconciliation'")
    op.create_table(
        "installation_job",
        sa.Column("job", sa.String(40), primary_key=True),
        sa.Column("next_at", UtcDateTime(), nullable=False),
        sa.Column("taken_by", sa.String(120), nullable=False, server_default=""),
    )
    op.create_table(
        "disk_report",
        sa.Column("process", sa.String(120), primary_key=True),
        sa.Column("cause", sa.String(40), primary_key=True),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False, server_default=""),
        sa.Column("at", UtcDateTime(), nullable=False),
    )


def downgrade() -> None:
    """Take them away."""
    online.drop_index("ix_run_compared", "run")
    online.drop_index("ix_run_failed", "run")
    op.drop_table("disk_report")
    op.drop_table("installation_job")
