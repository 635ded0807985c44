"""Deletes what is kept by the person: records, log entries, links, carts, sums; consents stay as proof without them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, case, delete, func, select, tuple_, update
from sqlalchemy.orm import Session

from integration.mapping import consent
from integration.models.attempt import Attempt
from integration.models.base import Base
from integration.models.buyer_score import BuyerScore
from integration.models.cart import Cart, CartEvent
from integration.models.cart_leftover import CartLeftover
from integration.models.connector import Connector
from integration.models.consent import ConsentEntry
from integration.models.contact_link import ContactLink
from integration.models.delivery import OPEN, Delivery
from integration.models.drift import Drift, Reconciled, Reconciliation
from integration.models.follow_up import FollowUpMark
from integration.models.former_address import FormerAddress
from integration.models.ledger import CustomerMark, LedgerEntry
from integration.models.person_stamp import PersonStamp
from integration.models.record_stamp import RecordStamp
from integration.models.recurring_order import RecurringEntry
from integration.models.sql import table_of
from integration.models.subscription import Subscription, SubscriptionState
from integration.models.sync_log import SyncLogEntry
from integration.models.unanswered import UnansweredPerson
from integration.operations.erasure.traces import Traces, parts
from integration.operations.retention import log as log_counts, rows as record_counts

#: Rows that are deleted in one transaction.
ROWS_AT_ONCE = 500

Then = Callable[[Session, Sequence[Row[Any]]], None]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one table that are the person's; `name` is what a receipt calls them.

    `blank` are the values that make a row nobody's, None where it is deleted. `then` sees each deleted batch.
    """

    name: str
    model: type[Base]
    which: ColumnElement[bool]
    blank: dict[str, Any] | None = None
    returning: tuple[Any, ...] = ()
    then: Then | None = None


def of(connector_id: int, one: Traces) -> Iterator[Part]:
    """Yield the person's rows of a connector, what hangs on others first; none that waits or is under way."""
    for keys in parts([*one.keys, *one.record_keys]):
        mine = (Delivery.connector_id == connector_id) & Delivery.person_key.in_(keys) & Delivery.state.not_in(OPEN)
        yield Part("attempts", Attempt, Attempt.delivery_id.in_(select(Delivery.id).where(mine)))
        yield from _log(connector_id, (SyncLogEntry.connector_id == connector_id) & SyncLogEntry.person_key.in_(keys))
        counted = {"returning": record_counts.TALLIED, "then": record_counts.count_down}
        yield Part("records", Delivery, mine, **counted)  # type: ignore[arg-type]
        yield Part("unanswered calls", UnansweredPerson, _by_key(UnansweredPerson, connector_id, keys))
        yield Part("drift", Drift, _by_key(Drift, connector_id, keys))
        runs = select(Reconciliation.run_id).where(Reconciliation.connector_id == connector_id)
        yield Part("drift", Reconciled, Reconciled.reconciliation_id.in_(runs) & Reconciled.person_key.in_(keys))
    yield from _carts(connector_id, one.keys)
    yield from _subscriptions(connector_id, one.keys)
    yield _consents(connector_id, one.keys)
    yield Part("links to contacts", ContactLink, _by_key(ContactLink, connector_id, one.keys))
    former = (FormerAddress.connector_id == connector_id) & FormerAddress.now_key.in_(one.keys)
    yield Part("former addresses", FormerAddress, former)
    yield Part("former addresses", FormerAddress, _by_key(FormerAddress, connector_id, one.keys))
    yield Part("orders in the ledger", LedgerEntry, _by_key(LedgerEntry, connector_id, one.keys))
    yield Part("subscriptions of the store", RecurringEntry, _by_key(RecurringEntry, connector_id, one.keys))
    yield Part("stamps of records", RecordStamp, _by_key(RecordStamp, connector_id, one.keys))
    yield Part("stamps of comparisons", PersonStamp, _by_key(PersonStamp, connector_id, one.keys))
    yield Part("scores", BuyerScore, _by_key(BuyerScore, connector_id, one.keys))
    yield Part("accounts", CustomerMark, _by_key(CustomerMark, connector_id, one.keys))
    for orders in parts([str(number) for number in one.orders]):
        marks = (FollowUpMark.connector_id == connector_id) & FollowUpMark.order_id.in_(orders)
        # That an order's note or e-mail was sent is kept, so that it is not sent twice; whose it was is not.
        blank = marks & FollowUpMark.contact_id.is_not(None)
        yield Part("marks of notes and e-mails, made nobody's", FollowUpMark, blank, {"contact_id": None})


def waiting(connector_id: int, one: Traces) -> ColumnElement[bool]:
    """Return which deliveries of the person are open."""
    keys = [*one.keys, *one.record_keys]
    return (Delivery.connector_id == connector_id) & Delivery.person_key.in_(keys) & Delivery.state.in_(OPEN)


def count(session: Session, part: Part) -> int:
    """Return how many rows a part has now."""
    return session.scalar(select(func.count()).select_from(part.model).where(part.which)) or 0


def take(session: Session, part: Part) -> int:
    """Delete, or make nobody's, a batch of a part in the caller's transaction; return how many rows it was."""
    table = table_of(part.model)
    keys = list(table.primary_key.columns)
    chosen = tuple_(*keys).in_(select(*keys).where(part.which).limit(ROWS_AT_ONCE))
    if part.blank is not None:
        return len(session.execute(update(table).where(chosen).values(**part.blank).returning(*keys)).all())
    columns = part.returning or tuple(keys)
    rows = session.execute(delete(table).where(chosen).returning(*(_column(table, each) for each in columns))).all()
    if part.then and rows:
        part.then(session, rows)
    return len(rows)


def _column(table: Any, column: Any) -> Any:
    return table.c[column.key]


def _by_key(model: Any, connector_id: int, keys: Collection[str]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = (model.connector_id == connector_id) & model.person_key.in_(keys)
    return found


def _log(connector_id: int, mine: ColumnElement[bool]) -> Iterator[Part]:
    """Yield entries of the sync log: those that are cleared have left the counts before."""
    mark = select(Connector.log_cleared_id).where(Connector.id == connector_id).scalar_subquery()
    yield Part("Sync Log entries", SyncLogEntry, mine & (SyncLogEntry.id <= mark))
    counted = {"returning": log_counts.COUNTED, "then": log_counts.count_down}
    yield Part("Sync Log entries", SyncLogEntry, mine & (SyncLogEntry.id > mark), **counted)  # type: ignore[arg-type]


def _carts(connector_id: int, keys: Collection[str]) -> Iterator[Part]:
    mine = _by_key(Cart, connector_id, keys)
    yield Part("moments of carts", CartEvent, CartEvent.cart_id.in_(select(Cart.id).where(mine)))
    yield Part("carts", Cart, mine)
    # What a cart has left in Mautic is done away with there as it was chosen, and not owed once more.
    yield Part("what carts have left behind", CartLeftover, _by_key(CartLeftover, connector_id, keys))


def _subscriptions(connector_id: int, keys: Collection[str]) -> Iterator[Part]:
    """Yield what was filled in: a consent stays as proof under the hash of the address, one never confirmed goes."""
    mine = _by_key(Subscription, connector_id, keys)
    pending = Subscription.state == SubscriptionState.PENDING
    yield Part("subscriptions never confirmed", Subscription, mine & pending)
    blank = dict.fromkeys(("email", "first_name", "last_name", "ip", "confirmed_ip", "page", "problem"), "")
    whole = mine & ~pending & (Subscription.email != "")
    nobody = {**blank, "contact_id": None, "token_digest": None}
    yield Part("consents, kept as proof without the person", Subscription, whole, nobody)


def _consents(connector_id: int, keys: Collection[str]) -> Part:
    """Return what was said of consents: it stays as proof under the hash of the address, as what was filled in does."""
    whole = _by_key(ConsentEntry, connector_id, keys) & (ConsentEntry.email != "")
    # Of a form the value tells from which page and address it came, of all others what was said.
    said = case((ConsentEntry.source == consent.FORM, ""), else_=ConsentEntry.value)
    return Part("consents, kept as proof without the person", ConsentEntry, whole, {"email": "", "value": said})
