"""Moves a person's rows to another key in the tables of revision 0005; `models.rekeying` does so in those of today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from integration.models.base import UtcDateTime


def _table(name: str, *more: sa.ColumnClause[Any], owner: str = "connector_id") -> sa.TableClause:
    return sa.table(name, sa.column(owner, sa.BigInteger), sa.column("subject", sa.String), *more)


DELIVERY = _table("delivery", sa.column("id", sa.BigInteger), sa.column("state", sa.String))
LINK = _table(
    "contact_link",
    sa.column("contact_id", sa.BigInteger),
    sa.column("fields", sa.JSON),
    sa.column("written_at", UtcDateTime(timezone=True)),
)
UNANSWERED = _table("unanswered_person", sa.column("seen", sa.Integer))
PLAIN = (_table("order_ledger"), _table("sync_log"))
MET = (_table("reconciled", owner="reconciliation_id"), _table("drift", owner="reconciliation_id"))
RECONCILIATION = sa.table("reconciliation", sa.column("id", sa.BigInteger), sa.column("connector_id", sa.BigInteger))


def rekey(connection: sa.Connection, connector_id: int, old: str, new: str) -> None:
    """Give all rows of the person `old` the key `new`; of one person one delivery leads."""
    _deliveries(connection, connector_id, old, new)
    _link(connection, connector_id, old, new)
    for table in PLAIN:
        connection.execute(sa.update(table).where(*_of(table, connector_id, old)).values(subject=new))
    _unanswered(connection, connector_id, old, new)
    for table in MET:
        _met(connection, connector_id, table, old, new)


def _of(table: sa.TableClause, connector_id: int, key: str) -> tuple[sa.ColumnElement[bool], ...]:
    return table.c.connector_id == connector_id, table.c.subject == key


def _deliveries(connection: sa.Connection, connector_id: int, old: str, new: str) -> None:
    mine = _of(DELIVERY, connector_id, old)
    leads = sa.and_(*_of(DELIVERY, connector_id, new), DELIVERY.c.state.in_(["ready", "leased"]))
    if connection.scalar(sa.select(DELIVERY.c.id).where(leads).limit(1)) is not None:
        ready = sa.update(DELIVERY).where(*mine, DELIVERY.c.state == "ready")
        connection.execute(ready.values(state="waiting"))
        mine = (*mine, DELIVERY.c.state != "leased")
    connection.execute(sa.update(DELIVERY).where(*mine).values(subject=new))


def _link(connection: sa.Connection, connector_id: int, old: str, new: str) -> None:
    both = LINK.c.subject.in_([old, new])
    query = sa.select(LINK).where(LINK.c.connector_id == connector_id, both).order_by(LINK.c.written_at)
    links = connection.execute(query).all()
    if not any(link.subject == old for link in links):
        return
    if len(links) > 1:
        connection.execute(sa.delete(LINK).where(*_of(LINK, connector_id, new)))
    mine = sa.update(LINK).where(*_of(LINK, connector_id, old))
    connection.execute(mine.values(subject=new, **_merged(links)))


def _merged(links: Sequence[sa.Row[Any]]) -> Mapping[str, Any]:
    last = links[-1]
    fields: dict[str, Any] = {}
    for link in links:
        fields |= (link.fields or {}) if link.contact_id == last.contact_id else {}
    return {"contact_id": last.contact_id, "fields": fields, "written_at": last.written_at}


def _unanswered(connection: sa.Connection, connector_id: int, old: str, new: str) -> None:
    mine = _of(UNANSWERED, connector_id, old)
    other = UNANSWERED.alias()
    held = sa.exists().where(other.c.connector_id == connector_id, other.c.subject == new)
    connection.execute(sa.delete(UNANSWERED).where(*mine, held))
    connection.execute(sa.update(UNANSWERED).where(*mine).values(subject=new, seen=None))


def _met(connection: sa.Connection, connector_id: int, table: sa.TableClause, old: str, new: str) -> None:
    ours = sa.select(RECONCILIATION.c.id).where(RECONCILIATION.c.connector_id == connector_id)
    mine = (table.c.subject == old) & table.c.reconciliation_id.in_(ours)
    other = table.alias()
    twice = sa.exists().where(other.c.reconciliation_id == table.c.reconciliation_id, other.c.subject == new)
    connection.execute(sa.delete(table).where(mine, twice))
    connection.execute(sa.update(table).where(mine).values(subject=new))
