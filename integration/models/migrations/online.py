"""Changes of tables that hold millions of rows while others go on reading and writing them.

PostgreSQL builds and drops an index beside them only outside a transaction, so what a migration did before is committed
first; whoever breaks off begins again with the same migration. SQLite has one writer anyway, and does it at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from integration.models.migrations import LOCK_TIMEOUT


def create_index(
    name: str,
    table: str,
    columns: Sequence[str],
    *,
    where: str | None = None,
    unique: bool = False,
    prefix: str | None = None,
) -> None:
    """Build an index; one that an earlier try has left unfinished is built anew.

    `where` makes it partial, `prefix` names the column that is looked for by its beginning.
    """
    condition = sa.text(where) if where else None
    operators = {prefix: "text_pattern_ops"} if prefix else {}
    with _beside_others() as concurrently:
        if concurrently:
            op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)
        op.create_index(
            name,
            table,
            list(columns),
            unique=unique,
            sqlite_where=condition,
            postgresql_where=condition,
            postgresql_ops=operators,
            postgresql_concurrently=concurrently,
        )


def drop_index(name: str, table: str) -> None:
    """Drop an index; one that an earlier try has dropped is gone already."""
    with _beside_others() as concurrently:
        op.drop_index(name, table, postgresql_concurrently=concurrently, if_exists=True)


@contextmanager
def _beside_others() -> Iterator[bool]:
    """Give whether a change may go on beside others: then outside of any transaction, waiting for theirs."""
    if op.get_bind().dialect.name != "postgresql":
        yield False
        return
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")
        yield True
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
