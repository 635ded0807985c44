"""PostgreSQL tidies the table of deliveries after a hundredth of its rows has changed, not after a fifth

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

# Each delivery is written three times, and what is ready is found by small indexes: with ten million rows two million
# dead ones would stand in them before autovacuum came.
_PARAMETERS = {
    "autovacuum_vacuum_scale_factor": 0.01,
    "autovacuum_vacuum_threshold": 1000,
    "autovacuum_analyze_scale_factor": 0.02,
}


def upgrade() -> None:
    """Set when autovacuum comes; neither readers nor writers wait for that."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE delivery SET ({', '.join(f'{name} = {value}' for name, value in _PARAMETERS.items())})")


def downgrade() -> None:
    """Leave it to the server's own settings again."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE delivery RESET ({', '.join(_PARAMETERS)})")
