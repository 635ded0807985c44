"""Accepts store records together with what else they change: the order ledger and the customers' marks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import streams
from integration.errors import MappingError
from integration.events import Change, Origin
from integration.identity import person_key_of
from integration.models.database import lock_connector
from integration.models.delivery import Delivery
from integration.models.ledger import CustomerMark
from integration.models.rekeying import addresses_in
from integration.models.sql import upsert
from integration.pipeline import outbox
from integration.pipeline.ingest import first_version_keys, order_ledger, status_events
from integration.records import Order
from integration.store import parse
from integration.store.sanitizing import MOST
from integration.streams import orders as orders_stream


def accept(
    session: Session, now: datetime, connector_id: int, changes: Sequence[Change], run_id: int | None = None
) -> outbox.Accepted:
    """Note orders in the ledger and owe all changes to Mautic, in the caller's transaction.

    What is owed to those whose order was given to another address is nothing that a run has read, and not its own.
    """
    if not changes:
        return outbox.Accepted()
    lock_connector(session, connector_id)
    first_version_keys.move(session, connector_id, [text for change in changes for text in _addresses(change)])
    read = [(change, _order_of(change)) for change in changes]
    found = _events(session, now, connector_id, read)
    orders = [order for _, order in read if order is not None]
    left = _left(order_ledger.record(session, connector_id, orders, found.unclaimed), now, changes[0].origin)
    known = [_with_person_key(session, now, connector_id, found.dated(change, order)) for change, order in read]
    outbox.accept(session, now, connector_id, left)
    return outbox.accept(session, now, connector_id, known, run_id)


def note(session: Session, now: datetime, connector_id: int, orders: Sequence[Order], origin: Origin) -> None:
    """Note orders in the ledger that are not synced themselves; who lost one of them is owed new sums all the same."""
    lock_connector(session, connector_id)
    first_version_keys.move(session, connector_id, [order.email for order in orders])
    found = status_events.find(session, now, connector_id, orders, origin)
    left = _left(order_ledger.record(session, connector_id, orders, found.unclaimed), now, origin)
    outbox.accept(session, now, connector_id, left)


def readable(rows: Iterable[Mapping[str, Any]]) -> list[Order]:
    """Return the orders among these rows; what is wrong with another one its own delivery says."""
    found: list[Order] = []
    for row in rows:
        with suppress(MappingError):
            found.append(parse.order(row))
    return found


def dated(session: Session, now: datetime, connector_id: int, changes: Sequence[Change]) -> list[Change]:
    """Return changes of one origin as `accept` would take them: an event with the moment of its status."""
    read = [(change, _order_of(change)) for change in changes]
    found = _events(session, now, connector_id, read)
    return [found.dated(change, order) for change, order in read]


def _events(
    session: Session, now: datetime, connector_id: int, read: Sequence[tuple[Change, Order | None]]
) -> status_events.Found:
    orders = [order for _, order in read if order is not None]
    restored = [order.id for change, order in read if order is not None and change.restored]
    origin = read[0][0].origin if read else Origin.POLL
    return status_events.find(session, now, connector_id, orders, origin, restored)


def _left(moves: Sequence[order_ledger.Move], now: datetime, origin: Origin) -> list[Change]:
    """Return what is owed to those whose order was given to another e-mail address."""
    return [orders_stream.moved(move.order, move.left, origin, now) for move in moves]


def _addresses(change: Change) -> list[str]:
    """Return the address by which the change's person is known, none where its record has none."""
    return [address for address in addresses_in(change.payload) if person_key_of(address) == change.person_key]


def _order_of(change: Change) -> Order | None:
    """Return the order that a change shows, None when it shows none that can be read."""
    stream = streams.of(change.kind)
    if not stream.in_ledger or change.event == "deleted":
        return None
    try:
        order: Order = stream.parse(change.payload)
        return order
    except MappingError:
        # The delivery will say so; the ledger cannot count what cannot be read.
        return None


def _with_person_key(session: Session, now: datetime, connector_id: int, change: Change) -> Change:
    """Return a deleted order's change with the person it belonged to: its payload names only the id."""
    gone = streams.of(change.kind).in_ledger and change.event == "deleted"
    if not gone or not change.source_id.isdigit():
        return change
    if int(change.source_id) > MOST:
        name = f"?{change.source_id}"[:40]
        return replace(change, source_id=name, number=name, payload={"id": name})
    person_key = order_ledger.remove(session, connector_id, int(change.source_id), now)
    session.flush()
    return replace(change, person_key=person_key or change.person_key)


def trashed(row: Mapping[str, Any], origin: Origin, now: datetime) -> Change:
    """Return the change of an order that lies in the trash: it counts no more."""
    change = parse.order_change(row, origin, now)
    payload = {"id": change.source_id, "email": parse.address(row.get("billing")).email}
    return replace(change, event="deleted", payload=payload, number=change.number or change.source_id)


def unseen(session: Session, connector_id: int, changes: Sequence[Change]) -> list[Change]:
    """Return the changes that were never accepted before: polling meets again what a webhook brought.

    What an import brought is met again too, where it was an event: an import sends no e-mail of it.
    """
    ids = [change.source_id for change in changes]
    events = status_events.unclaimed(session, connector_id, [int(each) for each in ids if _fits(each)])
    kinds = {change.kind for change in changes}
    query = select(Delivery.identity).where(
        Delivery.connector_id == connector_id, Delivery.source_id.in_(ids), Delivery.kind.in_(kinds)
    )
    seen = set(session.scalars(query)) if ids else set()
    return [each for each in changes if each.identity not in seen or (each.source_id, each.event) in events]


def _fits(source_id: str) -> bool:
    return source_id.isdigit() and int(source_id) <= MOST


def mark_customers(session: Session, connector_id: int, versions: dict[int, str]) -> None:
    """Remember customers as read now; an id that no column holds is looked at each time."""
    versions = {key: value for key, value in versions.items() if key <= MOST}
    rows = [{"connector_id": connector_id, "customer_id": key, "version": value} for key, value in versions.items()]
    upsert(session, CustomerMark, rows, ("version",))


def moved_customers(session: Session, connector_id: int, versions: dict[int, str]) -> list[int]:
    """Return the ids of the customers whose version is not the one that was read last."""
    query = select(CustomerMark.customer_id, CustomerMark.version).where(
        CustomerMark.connector_id == connector_id, CustomerMark.customer_id.in_([k for k in versions if k <= MOST])
    )
    known = dict(session.execute(query).tuples().all())
    return [key for key, value in versions.items() if known.get(key) != value]
