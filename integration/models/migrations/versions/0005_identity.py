"""One identity: people whose address is kept get the key that it has today

Keys are hashes, so only rows that hang on a kept payload can be dealt with here; the others are given their key of today
when a record of the person arrives.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from integration.identity import first_version_key
from integration.identity import is_first_version_key_shared
from integration.identity import person_key_of
from integration.identity import visible
from integration.models.rekeying import addresses_in
from integration.models.migrations.rekeying import rekey

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

AT_ONCE = 500
DELIVERY = sa.table(
    "delivery",
    sa.column("id", sa.BigInteger),
    sa.column("connector_id", sa.BigInteger),
    sa.column("kind", sa.String),
    sa.column("source_id", sa.String),
    sa.column("subject", sa.String),
    sa.column("state", sa.String),
    sa.column("payload", sa.JSON),
    sa.column("corrections", sa.JSON),
    sa.column("lease_token", sa.String),
)
LEDGER = sa.table(
    "order_ledger",
    sa.column("connector_id", sa.BigInteger),
    sa.column("order_id", sa.BigInteger),
    sa.column("subject", sa.String),
)
PROMOTE = """
UPDATE delivery SET state = 'ready'
WHERE id IN (SELECT MIN(w.id) FROM delivery w WHERE w.connector_id = :connector AND w.state = 'waiting'
             AND w.subject IN (:old, :new) GROUP BY w.subject)
  AND NOT EXISTS (SELECT 1 FROM delivery l WHERE l.connector_id = :connector
                  AND l.subject = delivery.subject AND l.state IN ('ready', 'leased'))
"""


def upgrade() -> None:
    """Give people with an odd address their key of today."""
    connection = op.get_bind()
    done: set[tuple[int, str]] = set()
    for row, address in _odd(connection):
        if is_first_version_key_shared(address):
            _part(connection, row, person_key_of(address))
        elif (row.connector_id, row.subject) not in done:
            done.add((row.connector_id, row.subject))
            rekey(connection, row.connector_id, row.subject, person_key_of(address))


def downgrade() -> None:
    """Leave the keys: the first version makes its own when records arrive."""


def _odd(connection: sa.Connection) -> Iterator[tuple[sa.Row[Any], str]]:
    """Yield open deliveries and dead letters whose person has another key today, with the address."""
    last = 0
    kept = DELIVERY.c.state.in_(["waiting", "ready", "leased", "dead"]) & DELIVERY.c.payload.is_not(None)
    while True:
        query = sa.select(DELIVERY).where(kept, DELIVERY.c.id > last).order_by(DELIVERY.c.id).limit(AT_ONCE)
        rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        for row in rows:
            address = _address(row)
            if address is not None:
                yield row, address


def _address(row: sa.Row[Any]) -> str | None:
    """Return the address that has given the row its key, None when that is its key today too."""
    payload = row.payload if isinstance(row.payload, dict) else {}
    corrections = row.corrections if isinstance(row.corrections, dict) else {}
    known = [*map(str, corrections.values()), *addresses_in(payload)]
    theirs = (each for each in known if first_version_key(each) == row.subject != person_key_of(each) and visible(each))
    return next(theirs, None)


def _part(connection: sa.Connection, row: sa.Row[Any], new: str) -> None:
    """Give one delivery, and its order, another key than the rest has: two mailboxes had one."""
    mine = sa.update(DELIVERY).where(DELIVERY.c.id == row.id)
    open_again = {} if row.state == "dead" else {"state": "waiting", "lease_token": None}
    connection.execute(mine.values(subject=new, **open_again))
    if row.kind == "order" and row.source_id.isdigit():
        order = (LEDGER.c.connector_id == row.connector_id) & (LEDGER.c.order_id == int(row.source_id))
        connection.execute(sa.update(LEDGER).where(order, LEDGER.c.subject == row.subject).values(subject=new))
    connection.execute(sa.text(PROMOTE), {"connector": row.connector_id, "old": row.subject, "new": new})
