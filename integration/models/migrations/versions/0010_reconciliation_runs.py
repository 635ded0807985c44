"""Reconciliations are runs: their rows move into the run table, what they found points there

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from integration.models.base import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = UtcDateTime(timezone=True)
_GOING = "state IN ('PENDING', 'RUNNING')"
_FINDERS = (("drift", "fk_drift_reconciliation_id"), ("reconciled", "fk_reconciled_reconciliation_id"))
_KINDS = ("missing", "doubled", "differs", "surplus")
_GOES_ON = "An earlier version began this reconciliation; it goes on where it stood."
_CALLS = "An earlier version did this reconciliation; its calls to Mautic and to the store were counted as one."


def _life() -> tuple[sa.ColumnClause[Any], ...]:
    """Return the columns that both tables have."""
    return (
        sa.column("id", _KEY),
        sa.column("connector_id", _KEY),
        sa.column("trigger", sa.String),
        sa.column("state", sa.String),
        sa.column("cursor", sa.JSON(none_as_null=True)),
        sa.column("calls", _KEY),
        sa.column("lease_token", sa.String),
        sa.column("leased_until", _MOMENT),
        sa.column("cancel_asked_at", _MOMENT),
        sa.column("created_at", _MOMENT),
        sa.column("ended_at", _MOMENT),
        sa.column("error", sa.Text),
    )


_OLD = sa.table("reconciliation", *_life(), sa.column("checked", _KEY), *(sa.column(kind, _KEY) for kind in _KINDS))
_RUN = sa.table(
    "run",
    *_life(),
    sa.column("kind", sa.String),
    sa.column("options", sa.JSON(none_as_null=True)),
    sa.column("phase", sa.String),
    sa.column("correlation_id", sa.String),
    *(sa.column(name, _KEY) for name in ("pulled", "accepted", "pushed", "skipped", "failed", "store_calls", "tries")),
    sa.column("due_at", _MOMENT),
    sa.column("started_at", _MOMENT),
    sa.column("error_code", sa.String),
)
_NEW = sa.table("reconciliation", sa.column("run_id", _KEY), *(sa.column(kind, _KEY) for kind in _KINDS))
_LINE = sa.table(
    "run_line",
    sa.column("run_id", _KEY),
    sa.column("at", _MOMENT),
    sa.column("level", sa.String),
    sa.column("text", sa.Text),
)


def upgrade() -> None:
    """Widen the run table, move each reconciliation into it, and let drift and people met point to its run."""
    _drop_indexes()
    _retype_kind(20)
    op.add_column("run", sa.Column("due_at", _MOMENT, nullable=True))
    op.add_column("run", sa.Column("tries", _KEY, server_default="0", nullable=False))
    _index("uq_run_going", f"{_GOING} AND kind NOT IN ('replay', 'reconciliation')")
    _index("uq_run_replaying", f"{_GOING} AND kind = 'replay'")
    _index("uq_run_reconciling", f"{_GOING} AND kind = 'reconciliation'")
    _free_finders()
    rows = op.get_bind().execute(sa.select(_OLD).order_by(_OLD.c.id)).mappings().all()
    op.drop_table("reconciliation")
    op.create_table(
        "reconciliation",
        sa.Column("run_id", _KEY, nullable=False),
        *(sa.Column(kind, _KEY, nullable=False) for kind in _KINDS),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_reconciliation_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_reconciliation")),
    )
    _point({row["id"]: _move(row) for row in rows})
    _bind_finders("run_id")


def _move(row: sa.RowMapping) -> int:
    """Make the run of a reconciliation and return its id."""
    bind = op.get_bind()
    run_id = int(bind.execute(sa.insert(_RUN).values(**_run_of(row)).returning(_RUN.c.id)).scalar_one())
    bind.execute(sa.insert(_NEW).values(run_id=run_id, **{kind: row[kind] for kind in _KINDS}))
    text = _CALLS if row["ended_at"] else _GOES_ON
    bind.execute(sa.insert(_LINE).values(run_id=run_id, at=row["ended_at"] or row["created_at"], level="info", text=text))
    return run_id


def _run_of(row: sa.RowMapping) -> dict[str, Any]:
    cursor = dict(row["cursor"] or {})
    pause = cursor.get("pause_until")
    place = {"place": cursor["place"]} if cursor.get("place") is not None else {}
    # Earlier versions forgot at the end whom a reconciliation had met: one that failed cannot be resumed.
    ended = {"forgotten": True} if row["ended_at"] else {}
    looked_at = max(row["checked"], sum(row[kind] for kind in _KINDS))
    return {
        **{name: row[name] for name in ("connector_id", "trigger", "state", "calls", "cancel_asked_at")},
        **{name: row[name] for name in ("created_at", "ended_at", "error")},
        "kind": "reconciliation",
        "options": {},
        "phase": str(cursor.get("phase") or ""),
        "cursor": place | ended,
        "correlation_id": str(uuid.uuid4()),
        "pulled": looked_at,
        "accepted": 0,
        "pushed": 0,
        "skipped": looked_at - sum(row[kind] for kind in _KINDS),
        "failed": 0,
        "store_calls": 0,
        "tries": int(cursor.get("tries") or 0),
        "due_at": datetime.fromisoformat(pause) if pause and not row["ended_at"] else None,
        "started_at": None if row["state"] == "PENDING" else row["created_at"],
        "error_code": "reconciliation" if row["state"] == "FAILED" else "",
    }


def downgrade() -> None:
    """Move reconciliations back into a table of their own; each keeps the number of its run."""
    _free_finders()
    bind = op.get_bind()
    rows = bind.execute(sa.select(_RUN, *(_NEW.c[kind] for kind in _KINDS)).join(_NEW, _NEW.c.run_id == _RUN.c.id))
    old = [_reconciliation_of(row) for row in rows.mappings().all()]
    op.drop_table("reconciliation")
    _create_old()
    if old:
        bind.execute(sa.insert(_OLD), old)
    _count_on()
    _bind_finders("id")
    op.execute("DELETE FROM run_line WHERE run_id IN (SELECT id FROM run WHERE kind = 'reconciliation')")
    op.execute("DELETE FROM run WHERE kind = 'reconciliation'")
    _drop_indexes("uq_run_reconciling")
    for column in ("tries", "due_at"):
        op.drop_column("run", column)
    _retype_kind(12)
    _index("uq_run_going", f"{_GOING} AND kind <> 'replay'")
    _index("uq_run_replaying", f"{_GOING} AND kind = 'replay'")


def _reconciliation_of(row: sa.RowMapping) -> dict[str, Any]:
    cursor = {"phase": row["phase"]} if row["phase"] else {}
    due_at, tries = row["due_at"], row["tries"]
    return {
        **{column.name: row[column.name] for column in _life()},
        **{kind: row[kind] for kind in _KINDS},
        "lease_token": None,
        "leased_until": None,
        "checked": row["pulled"],
        "calls": row["calls"] + row["store_calls"],
        "cursor": {
            **cursor,
            **{key: value for key, value in (row["cursor"] or {}).items() if key == "place"},
            **({"tries": tries} if tries else {}),
            **({"pause_until": due_at.isoformat()} if due_at else {}),
        },
    }


def _create_old() -> None:
    op.create_table(
        "reconciliation",
        sa.Column("id", _KEY, autoincrement=True, nullable=False),
        sa.Column("connector_id", _KEY, nullable=False),
        sa.Column("trigger", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("cursor", sa.JSON(none_as_null=True), nullable=False),
        *(sa.Column(name, _KEY, nullable=False) for name in ("checked", *_KINDS, "calls")),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        *(sa.Column(name, _MOMENT, nullable=True) for name in ("leased_until", "cancel_asked_at")),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connector_id"], ["connector.id"], name=op.f("fk_reconciliation_connector_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
    )
    op.create_index("ix_reconciliation_page", "reconciliation", ["connector_id", "id"])
    going = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_reconciliation_going",
        "reconciliation",
        ["connector_id"],
        unique=True,
        sqlite_where=going,
        postgresql_where=going,
    )


def _count_on() -> None:
    """Let PostgreSQL number new rows behind the moved ones; SQLite does so by itself."""
    if op.get_bind().dialect.name == "postgresql":
        newest = "(SELECT COALESCE(MAX(id), 0) + 1 FROM reconciliation)"
        op.execute(f"SELECT setval(pg_get_serial_sequence('reconciliation', 'id'), {newest}, false)")


def _free_finders() -> None:
    for table, constraint in _FINDERS:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_constraint(constraint, type_="foreignkey")


def _bind_finders(column: str) -> None:
    for table, constraint in _FINDERS:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.create_foreign_key(
                constraint, "reconciliation", ["reconciliation_id"], [column], ondelete="CASCADE"
            )


def _point(runs: dict[int, int]) -> None:
    """Let what was found point to the runs; old and new numbers overlap, so the new ones are negative at first."""
    for table, _ in _FINDERS:
        for old, new in runs.items():
            op.execute(f"UPDATE {table} SET reconciliation_id = {-new} WHERE reconciliation_id = {old}")
        op.execute(f"UPDATE {table} SET reconciliation_id = -reconciliation_id WHERE reconciliation_id < 0")


def _drop_indexes(*more: str) -> None:
    for name in ("uq_run_going", "uq_run_replaying", *more):
        op.drop_index(name, table_name="run")


def _index(name: str, condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, "run", ["connector_id"], unique=True, sqlite_where=where, postgresql_where=where)


def _retype_kind(length: int) -> None:
    """Give the kind of a run this length; SQLite would lose the run's lines with a table that is made anew."""
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("run", "kind", type_=sa.String(length=length))
        return
    op.execute(f"ALTER TABLE run ADD COLUMN kind_wide VARCHAR({length}) NOT NULL DEFAULT ''")
    op.execute("UPDATE run SET kind_wide = kind")
    op.execute("ALTER TABLE run DROP COLUMN kind")
    op.execute("ALTER TABLE run RENAME COLUMN kind_wide TO kind")
