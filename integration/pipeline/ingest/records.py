"""Accepts store records together with what else they change: the order ledger and the customers' marks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Table, case, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnCollection

from integration import streams
from integration.errors import MappingError
from integration.events import Change, Origin
from integration.identity import person_key_of, visible
from integration.models.connector import Connector
from integration.models.database import lock_connector
from integration.models.delivery import Delivery
from integration.models.ledger import CustomerMark
from integration.models.rekeying import addresses_in
from integration.models.sql import upsert
from integration.pipeline import outbox
from integration.pipeline.connectors import fingerprint
from integration.pipeline.delivery import held_records
from integration.pipeline.ingest import (
    account_addresses,
    blocked,
    cart_orders,
    first_version_keys,
    left_stamps,
    order_ledger,
    recurring_orders,
    status_events,
    store_clock,
)
from integration.records import Order
from integration.store import parse
from integration.store.sanitizing import INTEGER_MAX, is_number, text_of
from integration.streams import orders as orders_stream, recurring as recurring_stream
from integration.streams.base import LEAVES

#: Settles what needs not be sent of the changes that it is given, each with its order where it has one; returns how
#: many these are, and the other changes.
Door = Callable[[Session, datetime, Sequence[tuple[Change, Order | None]]], tuple[int, Sequence[Change]]]


def accept(
    session: Session,
    now: datetime,
    connector_id: int,
    changes: Sequence[Change],
    run_id: int | None = None,
    door: Door | None = None,
    to_come: outbox.ToCome | None = None,
) -> outbox.Accepted:
    """Note orders in the ledger and queue all changes for Mautic, in the caller's transaction.

    What is owed to those whose order was given to another address is nothing that a run has read, and not its own.
    What the `door` settles is not queued; people of whom something is still `to_come` wait for it.
    """
    if not changes:
        return outbox.Accepted()
    _connector = _locked(session, connector_id)
    left_stamps.forget(session, connector_id, changes)
    first_version_keys.move(session, connector_id, [text for change in changes for text in _addresses(change)])
    shut = blocked.among(session, connector_id, {change.person_key for change in changes})
    changes = blocked.emptied(changes, shut)
    account_addresses.follow(session, now, connector_id, changes)
    changes = account_addresses.with_current_keys(session, connector_id, changes)
    read = [(change, None if change.person_key in shut else _order_of(change)) for change in changes]
    found = _events(session, now, connector_id, read)
    orders = [order for _, order in read if order is not None]
    fingerprint.look_at_orders(session, now, connector_id, orders)
    read_at = None if changes[0].origin in (Origin.WEBHOOK, Origin.API) else now
    future = store_clock.future(session, now, connector_id)
    moves = order_ledger.record(session, connector_id, orders, found.unclaimed, read_at, future)
    left = [*_left(moves, now, changes[0].origin), *_recurring(session, now, connector_id, changes)]
    known: Sequence[Change] = [
        _with_person_key(session, now, connector_id, found.dated(change, order)) for change, order in read
    ]
    beside = outbox.accept(session, now, connector_id, [*left, *cart_orders.note(session, now, connector_id, orders)])
    sighted = zip(known, (order for _, order in read), strict=True)
    settled, known = door(session, now, list(sighted)) if door is not None else (0, known)
    accepted = outbox.accept(session, now, connector_id, known, run_id, to_come)
    held_records.tell(session, now, connector_id)
    others = beside.new + beside.replaced
    return replace(accepted, new=accepted.new + settled, settled=settled, beside=others)


def note(
    session: Session,
    now: datetime,
    connector_id: int,
    orders: Sequence[Order],
    origin: Origin,
    listed: Mapping[int, str] | None = None,
) -> None:
    """Note orders in the ledger that are not synced themselves; who lost one of them gets new sums all the same.

    `listed` are the digests of their rows where they come by the list of all orders.
    """
    if not orders:
        return
    _connector = _locked(session, connector_id)
    fingerprint.look_at_orders(session, now, connector_id, orders)
    first_version_keys.move(session, connector_id, [order.email for order in orders])
    shut = blocked.among(session, connector_id, {person_key_of(order.email) for order in orders})
    orders = [order for order in orders if person_key_of(order.email) not in shut]
    found = status_events.find(session, now, connector_id, orders, origin)
    future = store_clock.future(session, now, connector_id)
    moves = order_ledger.record(session, connector_id, orders, found.unclaimed, now, future, listed)
    left = _left(moves, now, origin)
    outbox.accept(session, now, connector_id, [*left, *cart_orders.note(session, now, connector_id, orders)])


def _locked(session: Session, connector_id: int) -> Connector | None:
    """Lock the connector and return it: while the caller has it, the session reads its row once for all who ask."""
    lock_connector(session, connector_id)
    return session.get(Connector, connector_id)


def note_recurring(session: Session, now: datetime, connector_id: int, changes: Sequence[Change]) -> None:
    """Note the store's subscriptions that are not synced themselves; who lost one gets new tags all the same."""
    lock_connector(session, connector_id)
    outbox.accept(session, now, connector_id, _recurring(session, now, connector_id, changes))


def readable(rows: Iterable[Mapping[str, Any]]) -> list[Order]:
    """Return the orders among these rows; what is wrong with another one its own delivery says."""
    found: list[Order] = []
    for row in rows:
        with suppress(MappingError):
            found.append(parse.order(row))
    return found


def dated(session: Session, now: datetime, connector_id: int, changes: Sequence[Change]) -> list[Change]:
    """Return changes of one origin as `accept` would take them: an event with the moment of its status.

    Accounts are not followed to a new address yet.
    """
    changes = account_addresses.with_current_keys(session, connector_id, changes)
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
    """Return the changes for those whose order was given to another e-mail address."""
    return [orders_stream.moved(move.order, move.left, origin, now) for move in moves]


def _recurring(session: Session, now: datetime, connector_id: int, changes: Sequence[Change]) -> list[Change]:
    """Note the store's subscriptions; return the changes for those whose subscription was given to another address."""
    shown = [_shown(each) for each in changes if streams.of(each.kind).recurs and each.event not in LEAVES]
    left = recurring_orders.record(session, connector_id, [order for order in shown if order is not None])
    origin = changes[0].origin
    return [recurring_stream.moved(one.order.id, one.person_key, one.order.modified_at, origin, now) for one in left]


def _shown(change: Change) -> Order | None:
    """Return the order, or the subscription, that a change shows, None when it shows none that can be read."""
    try:
        order: Order = streams.of(change.kind).parse(change.payload)
        return order
    except MappingError:
        # The delivery will say so; what cannot be read is kept nowhere.
        return None


def _addresses(change: Change) -> list[str]:
    """Return the address by which the change's person is known, none where its record has none."""
    return [address for address in addresses_in(change.payload) if person_key_of(address) == change.person_key]


def _order_of(change: Change) -> Order | None:
    """Return the order that a change shows, None when it shows none that can be read."""
    stream = streams.of(change.kind)
    return None if not stream.in_ledger or change.event == "deleted" else _shown(change)


def _with_person_key(session: Session, now: datetime, connector_id: int, change: Change) -> Change:
    """Return a deleted record's change with the person it belonged to: its payload names only the id.

    What a webhook says of a deletion is asked of the store first (delivery/asking.py); until then the order counts.
    """
    stream = streams.of(change.kind)
    if change.event != "deleted" or not change.source_id.isdigit():
        return change
    if stream.is_account:
        known = account_addresses.person_of(session, connector_id, change.source_id)
        return replace(change, person_key=known or change.person_key)
    if stream.recurs and is_number(change.source_id):
        return replace(change, person_key=recurring_orders.person_of(session, connector_id, int(change.source_id)))
    if not stream.in_ledger:
        return change
    if int(change.source_id) > INTEGER_MAX:
        name = f"?{change.source_id}"[:40]
        return replace(change, source_id=name, number=name, payload={"id": name})
    number = int(change.source_id)
    if change.origin is Origin.WEBHOOK:
        person_key = order_ledger.person_of(session, connector_id, number)
    else:
        future = store_clock.future(session, now, connector_id)
        person_key = order_ledger.remove(session, connector_id, number, change.modified_at, now, future)
    session.flush()
    return replace(change, person_key=person_key or change.person_key)


def trashed(row: Mapping[str, Any], origin: Origin, now: datetime) -> Change:
    """Return the change of an order that lies in the trash: it counts no more."""
    change = parse.order_change(row, origin, now)
    payload = {"id": change.source_id, "email": parse.billing_email(row)}
    return replace(change, event="deleted", payload=payload, number=change.number or change.source_id)


def unseen(session: Session, connector_id: int, changes: Sequence[Change]) -> list[Change]:
    """Return the changes that were never accepted before: polling meets again what a webhook brought.

    What an import brought is met again too, where it was an event: an import sends no e-mail of it.
    """
    ids = [change.source_id for change in changes]
    events = status_events.unclaimed(session, connector_id, [int(each) for each in ids if is_number(each)])
    kinds = {change.kind for change in changes}
    query = select(Delivery.identity).where(
        Delivery.connector_id == connector_id, Delivery.source_id.in_(ids), Delivery.kind.in_(kinds)
    )
    seen = set(session.scalars(query)) if ids else set()
    return [each for each in changes if each.identity not in seen or (each.source_id, each.event) in events]


def mark_customers(
    session: Session, connector_id: int, versions: Mapping[int, str], emails: Mapping[int, Any] | None = None
) -> None:
    """Remember customers as read now; an id that no column holds is looked at each time.

    An address that is known stays until the account is followed to another one (`account_addresses`).
    """
    told = {key: text_of(email) for key, email in (emails or {}).items()}
    rows = [
        {
            "connector_id": connector_id,
            "customer_id": key,
            "version": value,
            "person_key": person_key_of(told[key]) if visible(told.get(key, "")) else "",
        }
        for key, value in versions.items()
        if key <= INTEGER_MAX
    ]
    upsert(session, CustomerMark, rows, _mark)


def _mark(table: Table, new: ColumnCollection[str, Any]) -> dict[str, Any]:
    known = table.c.person_key
    return {"version": new.version, "person_key": case((known == "", new.person_key), else_=known)}


def moved_customers(session: Session, connector_id: int, versions: dict[int, str]) -> list[int]:
    """Return the ids of the customers whose version is not the one that was read last."""
    query = select(CustomerMark.customer_id, CustomerMark.version).where(
        CustomerMark.connector_id == connector_id,
        CustomerMark.customer_id.in_([k for k in versions if k <= INTEGER_MAX]),
    )
    known = dict(session.execute(query).tuples().all())
    return [key for key, value in versions.items() if known.get(key) != value]
