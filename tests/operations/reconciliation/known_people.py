"""Who is known to a reconciliation without being compared, and whether a whole comparison agrees with it."""

from __future__ import annotations

from sqlalchemy import delete

from integration.events import Origin
from integration.models import Connector
from integration.models.person_stamp import PersonStamp
from integration.models.record_stamp import RecordStamp
from integration.operations.reconciliation import leftovers
from integration.operations.reconciliation.people import accounts
from integration.operations.reconciliation.reading_ahead import ReadingAhead
from integration.pipeline.connectors import field_list, store_profile
from integration.pipeline.ingest import listed_orders
from integration.store import reading
from tests.operations.reconciliation.conftest import Bench


def fine(bench: Bench) -> set[str]:
    """Return who is known now, as a reconciliation tells it that has read the list of orders."""
    services = bench.road.services
    with services.db.read() as session:
        connector = session.get_one(Connector, bench.road.connector_id)
    connector = store_profile.refresh(services, connector)
    store, mautic = services.open_store(connector), services.open_mautic(connector)
    connector = field_list.recent(services, connector, mautic)
    statuses, fields = store_profile.statuses(connector), reading.LEDGER_FIELDS
    for page in reading.read_orders(store, statuses=statuses, fields=fields):
        with services.db.write() as session:
            listed_orders.note(session, services.clock.now(), connector.id, page.rows, Origin.BULK)
    customers = accounts(row for page in reading.read_customers(store) for row in page.rows)
    with services.db.read() as session:
        buyers = leftovers.buyers(session, connector.id, "", None)
    ahead = ReadingAhead(services, connector, store, mautic)
    try:
        return set(ahead.fine(ahead.begin({**dict.fromkeys(buyers, ()), **customers})).people)
    finally:
        ahead.close()


def hold_against_a_whole_comparison(bench: Bench, known: set[str], compared: set[str]) -> None:
    """Compare everybody: who is known must be among them, and among those of whom nothing differs."""
    with bench.road.services.db.write() as session:
        session.execute(delete(PersonStamp))
        session.execute(delete(RecordStamp))
    compared.clear()
    assert bench.reconcile().state == "COMPLETED"
    assert known <= compared - {row.person_key for row in bench.drift()}
