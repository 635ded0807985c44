"""Repairs drift on demand: the records are accepted once more, and what we believed of Mautic is forgotten.

So they take the same road as every change, and are really written.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from integration.errors import ServiceError
from integration.events import Origin
from integration.models.connector import Connector
from integration.models.contact_link import ContactLink
from integration.models.drift import Drift
from integration.models.sql import swapped
from integration.operations.reconciliation import former_buyers
from integration.operations.reconciliation.people import Gathering, Person
from integration.pipeline.connectors import holds
from integration.pipeline.delivery import batch_context as batch_context
from integration.pipeline.ingest import records
from integration.pipeline.leases import endings
from integration.pipeline.services import Services
from integration.store import reading
from integration.streams import contacts as contacts_stream

log = logging.getLogger(__name__)

#: Kinds that a button can mend: what the store has no more is only shown.
REPAIRABLE = ("missing", "differs", "doubled")
AT_ONCE = 100
#: When the store cannot be read it is tried again after this.
LATER = timedelta(minutes=2)
NOTHING_THERE = "The store no longer has this record, so there is nothing to repair."


def ask(
    session: Session,
    now: datetime,
    connector_id: int,
    reconciliation_id: int,
    *,
    ids: Sequence[int] | None = None,
    kind: str | None = None,
) -> int:
    """Ask to repair the rows with these ids, or all of a kind (None for all kinds), and return how many that are.

    Of a kind that no button can mend nothing is asked for.
    """
    statement = update(Drift).where(
        Drift.connector_id == connector_id,
        Drift.reconciliation_id == reconciliation_id,
        Drift.kind.in_(REPAIRABLE if kind is None else [each for each in REPAIRABLE if each == kind]),
        Drift.asked_at.is_(None),
        Drift.repaired_at.is_(None),
    )
    if ids is not None:
        statement = statement.where(Drift.id.in_(list(ids)))
    done = swapped(session, statement.values(asked_at=now).execution_options(synchronize_session=False))
    return done


def work(services: Services) -> int:
    """Repair a batch of each connector that somebody asked for and return how many rows were dealt with."""
    now = services.clock.now()
    with services.db.read() as session:
        asked = select(Drift.connector_id).where(*_asked(now)).group_by(Drift.connector_id)
        connectors = [session.get_one(Connector, number) for number in session.scalars(asked).all()]
    return sum(_repaired(services, connector, now) for connector in connectors)


def _repaired(services: Services, connector: Connector, now: datetime) -> int:
    """Repair a batch of one connector; an unexpected error is written to its rows, and it is not tried again."""
    try:
        return _repair(services, connector)
    except Exception as error:
        cause = endings.cause_of(error, "The repair")
        if endings.is_passing(error):
            return 0
    with services.db.write() as session:
        batch = select(Drift.id).where(Drift.connector_id == connector.id, *_asked(now)).order_by(Drift.id)
        ids = session.scalars(batch.limit(AT_ONCE)).all()
        statement = update(Drift).where(Drift.id.in_(ids)).values(asked_at=None, sentence=str(cause))
        session.execute(statement.execution_options(synchronize_session=False))
    return 0


def _asked(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Drift.asked_at.is_not(None), Drift.repaired_at.is_(None), Drift.asked_at <= now


def _repair(services: Services, connector: Connector) -> int:
    now = services.clock.now()
    with services.db.read() as session:
        if not connector.store_url or holds.current(session, connector.id, "store") is not None:
            return 0
        query = select(Drift).where(Drift.connector_id == connector.id, *_asked(now)).order_by(Drift.id)
        rows = session.scalars(query.limit(AT_ONCE)).all()
    try:
        people = _people(services, connector, [row for row in rows if row.kind != "doubled"])
    except ServiceError as error:
        log.warning("The repair of connector %d waits: %s", connector.id, error)
        _put_off(services, rows, now + LATER)
        return 0
    with services.db.write() as session:
        for row in rows:
            _one(session, now, row, people.get(row.person_key))
        services.on_accept(session, connector.id)
    services.wakeup.ring(connector.id)
    return len(rows)


def _put_off(services: Services, rows: Iterable[Drift], until: datetime) -> None:
    with services.db.write() as session:
        session.execute(update(Drift).where(Drift.id.in_([row.id for row in rows])).values(asked_at=until))


def _people(services: Services, connector: Connector, rows: Sequence[Drift]) -> dict[str, Person]:
    """Return the people of the rows as the store has them now; raises ServiceError when it cannot be read."""
    gathering = Gathering(services, connector, services.open_store(connector, obeys=True), Origin.BULK)
    ids = sorted(
        {int(row.source_id) for row in rows if row.source_kind == contacts_stream.KIND and row.source_id.isdigit()}
    )
    pages = reading.read_customers(gathering.client, ids=ids) if ids else ()
    found = [row for page in pages for row in page.rows]
    people = {person.person_key: person for person in gathering.customers(found)} if found else {}
    rest = [row.person_key for row in rows if row.person_key not in people]
    people |= {person.person_key: person for person in gathering.buyers(rest)} if rest else {}
    return people | _former(services, connector, [key for key in rest if key not in people])


def _former(services: Services, connector: Connector, person_keys: Sequence[str]) -> dict[str, Person]:
    with services.db.read() as session:
        found = former_buyers.people(session, services.clock.now(), connector.id, person_keys, Origin.BULK)
    return {person.person_key: person for person in found}


def _one(session: Session, now: datetime, row: Drift, person: Person | None) -> None:
    values: dict[str, Any] = {"repaired_at": now}
    if row.kind == "doubled":
        _point(session, now, row)
    elif person is None or not person.changes:
        values = {"asked_at": None, "sentence": NOTHING_THERE}
    else:
        _forget(session, row)
        records.accept(session, now, row.connector_id, person.changes)
    session.execute(update(Drift).where(Drift.id == row.id, Drift.repaired_at.is_(None)).values(**values))


def _forget(session: Session, row: Drift) -> None:
    """Forget what Mautic had confirmed; of a contact that is gone the link goes too."""
    key = (ContactLink.connector_id == row.connector_id, ContactLink.person_key == row.person_key)
    if row.kind == "missing" or row.contact_id is None:
        session.execute(delete(ContactLink).where(*key))
    else:
        session.execute(update(ContactLink).where(*key).values(fields={}, contact_id=row.contact_id))


def _point(session: Session, now: datetime, row: Drift) -> None:
    """Let our link lead to the oldest of several contacts: that is the one which stays when they are merged."""
    link: dict[str, Any] = {"person_key": row.person_key, "contact_id": row.contact_id, "fields": {}, "written_at": now}
    batch_context.save_links(session, row.connector_id, [link])
