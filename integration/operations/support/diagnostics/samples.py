"""One record of the store to try the mapping on: the newest that is synced, or one by its id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from integration.errors import Rejected
from integration.events import Kind, Origin
from integration.identity import person_key_of
from integration.models.connector import Connector
from integration.models.ledger import LedgerEntry
from integration.pipeline.delivery import batch_context as batch_context
from integration.pipeline.delivery.batch_context import BatchContext
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery
from integration.pipeline.ingest import order_ledger
from integration.pipeline.ingest.order_ledger import People
from integration.pipeline.services import Services
from integration.records import Order
from integration.settings import Modules
from integration.store import parse
from integration.store.access import SERVICE
from integration.store.client import StoreClient
from integration.store.reading import customer_fields, fetch_customers, fetch_order, order_fields

Row = dict[str, Any]
#: So many of the newest customers are looked at for one with a role that is synced.
_LOOKED_AT = 20
_NEWEST = {"orderby": "id", "order": "desc"}


def read(client: StoreClient, kind: Kind, modules: Modules, record_id: int | None) -> Row:
    """Return the record of this id, or the newest one that is synced; raises ServiceError, "gone" for no such one."""
    if kind is Kind.ORDER:
        return _order(client, modules, record_id)
    return _customer(client, modules, record_id)


def _order(client: StoreClient, modules: Modules, record_id: int | None) -> Row:
    if record_id is not None:
        row = fetch_order(client, record_id)
        return row if row is not None else _none(f"The store has no order {record_id}.", _OTHER_ID)
    statuses = modules.orders.statuses
    wanted = {"status": list(statuses), "per_page": 1, "_fields": order_fields(), **_NEWEST}
    rows, _ = client.get("orders", wanted) if statuses else ([], None)
    sentence = f"The store has no order in a status that is synced ({', '.join(statuses) or 'none is ticked'})."
    return dict(rows[0]) if rows else _none(sentence, "Choose statuses under Order Sync, or give the id of an order.")


def _customer(client: StoreClient, modules: Modules, record_id: int | None) -> Row:
    if record_id is not None:
        found = fetch_customers(client, [record_id])
        return found[0] if found else _none(f"The store has no customer {record_id}.", _OTHER_ID)
    rows, _ = client.get("customers", {"role": "all", "per_page": _LOOKED_AT, "_fields": customer_fields(), **_NEWEST})
    if not rows:
        return _none("The store has no customers yet.", "Try again when somebody has registered.")
    synced = (row for row in rows if not modules.contacts.roles or row.get("role") in modules.contacts.roles)
    return dict(next(synced, rows[0]))


_OTHER_ID = "Look at the id in the store's administration, or leave it empty for the newest."


def _none(sentence: str, hint: str) -> Row:
    raise Rejected(SERVICE, "gone", sentence, hint)


def line_of(services: Services, kind: Kind, row: Row) -> DeliveryGroup:
    """Return the record as a line of one delivery, as if it had just changed; raises MappingError without an id."""
    now = services.clock.now()
    # A live order may send e-mails; a customer counts as read, so that the switch for live changes hides nothing.
    change = (
        parse.order_change(row, Origin.WEBHOOK, now)
        if kind is Kind.ORDER
        else parse.customer_change(row, Origin.FULL, now, created=False)
    )
    person_key = change.person_key or f"{kind}:{change.source_id}"
    leased = LeasedDelivery(
        -1,
        kind,
        change.source_id,
        change.number,
        change.event,
        person_key,
        change.origin,
        change.payload,
        now,
        1,
        modified_at=change.modified_at,
        reached_at=now,
    )
    return DeliveryGroup(person_key, (leased,))


def lay(session: Session, connector: Connector, group: DeliveryGroup, order: Order | None) -> BatchContext:
    """Return the context of the sample's person; an order that the ledger has not met yet is counted all the same."""
    context = batch_context.lay(session, connector, [group.person_key])
    if order is None:
        return context
    return replace(context, people=_WithOrder(session, connector.id, [group.person_key], order))


class _WithOrder(People):
    """The ledger's rows of a person with one order that is only being looked at."""

    def __init__(self, session: Session, connector_id: int, person_keys: Iterable[str], order: Order) -> None:
        super().__init__(session, connector_id, person_keys)
        rows: Sequence[LedgerEntry] = self.rows(person_key_of(order.email)) if order.email else ()
        if order.email and all(row.order_id != order.id for row in rows):
            self._rows.setdefault(person_key_of(order.email), []).append(
                LedgerEntry(**order_ledger.row(connector_id, order))
            )
