"""Writes unsubscribes and bounces into the customer's meta data in the store, where that is wished (X10).

The store answers with a webhook of the changed customer. Nothing that is synced has changed by it, so it ends as
unchanged and makes no call to Mautic; and the key that is written is not among those that are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import literal_column, select, update
from sqlalchemy.orm import Session

from integration.errors import AuthRejected
from integration.models.connector import Connector
from integration.models.consent import ConsentEntry
from integration.models.ledger import CustomerMark
from integration.pipeline.consents import ledger
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing
from integration.pipeline.sync_log.writing import Entry
from integration.store import customer_meta
from integration.streams import contacts as contacts_stream

#: Where a connector keeps, among its cursors, that its store refuses to be written to; and how long that is believed.
CURSOR, AGAIN_AFTER = "consent_write_back", timedelta(days=1)
NO_ACCOUNT = "The person has no account in the shop that could be written to."


def write(services: Services, connector: Connector) -> int:
    """Write at most a hundred people's words into the store and return how many were; raises ServiceError.

    What was written although its answer was lost is written once more, which makes no difference there.
    """
    module = services.modules(connector).consent
    if not (module.enabled and module.write_back and connector.store_url) or _refused_lately(services, connector):
        return 0
    with services.db.read() as session:
        waiting = (ConsentEntry.connector_id == connector.id) & (
            ConsentEntry.write_back == literal_column(f"'{ledger.WAITING}'")
        )
        query = select(ConsentEntry).where(waiting).order_by(ConsentEntry.id).limit(customer_meta.BATCH_MAX)
        rows = session.scalars(query).all()
        accounts = _accounts(session, connector.id, rows)
    if not rows:
        return 0
    values = {accounts[row.person_key]: row.state for row in rows if row.person_key in accounts}
    client = services.open_store(connector, obeys=True)
    try:
        refused = customer_meta.write(client, module.write_field, values) if values else {}
    except AuthRejected as error:
        _keep(services, connector.id, {"problem": str(error), "at": services.clock.now().isoformat()})
        return 0
    if problem(connector):
        _keep(services, connector.id, {})
    with services.db.write() as session:
        _note(session, services.clock.now(), rows, accounts, refused, module.write_field)
    return len(values) - len(refused)


def problem(connector: Connector) -> str:
    """Return why the store refuses the key to write, "" while it does not."""
    kept = connector.cursors.get(CURSOR)
    return str(kept.get("problem") or "") if isinstance(kept, Mapping) else ""


def _refused_lately(services: Services, connector: Connector) -> bool:
    """Tell whether the key was refused within a day: asked again and again it would put the store on hold."""
    if not problem(connector):
        return False
    at = datetime.fromisoformat(connector.cursors[CURSOR]["at"])
    return timedelta(0) <= services.clock.now() - at < AGAIN_AFTER


def _keep(services: Services, connector_id: int, told: dict[str, str]) -> None:
    with services.db.write() as session:
        row = session.get_one(Connector, connector_id)
        row.cursors = {**row.cursors, CURSOR: told}


def _accounts(session: Session, connector_id: int, rows: Sequence[ConsentEntry]) -> dict[str, int]:
    """Return person key -> the newest account with the person's address."""
    keys = sorted({row.person_key for row in rows})
    mine = (CustomerMark.connector_id == connector_id) & CustomerMark.person_key.in_(keys)
    query = select(CustomerMark.person_key, CustomerMark.customer_id).where(mine).order_by(CustomerMark.customer_id)
    return dict(session.execute(query).tuples().all())


def _note(
    session: Session,
    now: datetime,
    rows: Sequence[ConsentEntry],
    accounts: Mapping[str, int],
    refused: Mapping[int, str],
    key: str,
) -> None:
    entries = []
    for row in rows:
        customer = accounts.get(row.person_key)
        why = refused.get(customer, "") if customer is not None else NO_ACCOUNT
        told = why[:300] or ledger.WRITTEN
        session.execute(update(ConsentEntry).where(ConsentEntry.id == row.id).values(write_back=told))
        if customer is not None:
            entries.append(_entry(now, row, customer, why, key))
    writing.record(session, entries)


def _entry(now: datetime, row: ConsentEntry, customer: int, why: str, key: str) -> Entry:
    said = f"The store did not take it: {why}." if why else f"“{key}” of the customer says “{row.state}” now."
    return Entry(
        connector_id=row.connector_id,
        at=now,
        type=contacts_stream.KIND,
        object_id=str(customer),
        action="write_back",
        status=writing.ERROR if why else writing.SUCCESS,
        message=said,
        contact_id=int(row.ref) if row.ref.isdigit() else None,
        source_id=str(customer),
        person_key=row.person_key,
    )
