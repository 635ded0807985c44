"""Gives stamps to what came to nothing, and tells which stamps of a page of the store hold still.

Only what stays as it is gets a stamp. An order of which the ledger has a newer sighting, or an event that waits for a
live change, may come to something by time alone; so may one without a date, and one that may be a cart's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from integration import streams
from integration.events import Change
from integration.mapping import status_dates
from integration.models.connector import Connector
from integration.models.ledger import CustomerMark
from integration.models.membership import among
from integration.pipeline.delivery import busy_people, stamps
from integration.pipeline.delivery.batch_context import BatchContext
from integration.pipeline.delivery.groups import LeasedDelivery, Outcome
from integration.pipeline.delivery.planning import PersonPlan
from integration.pipeline.delivery.stamps import Page
from integration.pipeline.delivery.unsent import Settled
from integration.pipeline.ingest import blocked, cart_orders, followed_carts
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.store.sanitizing import is_number

_ACCOUNTS = select(CustomerMark.customer_id, CustomerMark.person_key).where(
    CustomerMark.connector_id == bindparam("connector_id"), among(CustomerMark.customer_id, bindparam("numbers"))
)


def held(session: Session, connector: Connector, page: Page) -> list[str]:
    """Return the source ids of those whose stamps hold: their people are not busy, and all of them stands as it did."""
    people = page.people
    records = {(str(page.kind), each): person_key for person_key, ids in people.items() for each in ids}
    away = busy_people.among(session, connector.id, records) | blocked.among(session, connector.id, people)
    away |= _with_carts(session, connector.id, page)
    people = {person_key: ids for person_key, ids in people.items() if person_key not in away}
    now = stamps.of_people(session, connector, page, people) if people else {}
    return [each for person_key, ids in people.items() for each in ids if _all_hold(page, ids, now[person_key])]


def _all_hold(page: Page, ids: Sequence[str], stamp: str) -> bool:
    return all(page.stamps[each].stamp == stamp for each in ids)


def _with_carts(session: Session, connector_id: int, page: Page) -> set[str]:
    """Return whose orders have to do with a cart, so that they may end or open it."""
    if not streams.of(page.kind).in_ledger:
        return set()
    people, orders = followed_carts.concerned(session, connector_id, page.people, [int(each) for each in page.stamps])
    return people | {page.stamps[str(number)].person_key for number in orders if str(number) in page.stamps}


def change_of_all(page: Page, now: datetime) -> Change:
    """Return the change of records of the page whose stamps hold, as far as it is the same of each."""
    return Change(
        kind=page.kind,
        source_id="",
        event="",
        person_key="",
        payload={},
        seen_at=now,
        origin=page.origin,
        version="-",
    )


# -- new stamps -------------------------------------------------------------------------------------------------------


def give(
    session: Session, context: BatchContext, page: Page, idle: Sequence[PersonPlan], written: Mapping[str, Settled]
) -> None:
    """Stamp the records of people of whom nothing was to be sent; `written` has by source id what was written of them.

    The caller has written all else that it changes of these people.
    """
    if context.modules.orders.category_tags:
        # What the store says of its products has an age of its own.
        return
    found = [one for one in idle if _all_of(one, page)]
    accounts = streams.of(page.kind).is_account
    ids = [leased.source_id for one in found for leased in one.group.deliveries if accounts]
    own = own_accounts(session, context.connector.id, ids)
    lasting = [one for one in found if all(lasts(leased, context, own) for leased in one.group.deliveries)]
    people = {one.group.person_key: [leased.source_id for leased in one.group.deliveries] for one in lasting}
    if people:
        now = stamps.of_people(session, context.connector, page, people)
        stamps.keep(session, context.connector.id, list(_rows(page, people, now, written)))


def _all_of(one: PersonPlan, page: Page) -> bool:
    return all(leased.kind is page.kind and leased.source_id in page.digests for leased in one.group.deliveries)


def lasts(leased: LeasedDelivery, context: BatchContext, own: set[tuple[str, str]]) -> bool:
    """Tell whether a record comes to something else only when it or what is kept of it changes, not by time alone.

    `own` is what `own_accounts` gave.
    """
    if streams.of(leased.kind).is_account:
        return (leased.source_id, leased.person_key) in own and _is_dated(leased.record)
    return streams.of(leased.kind).in_ledger and order_lasts(leased, context)


def order_lasts(leased: LeasedDelivery, context: BatchContext) -> bool:
    """Tell whether an order comes to something else only when it, or what the ledger says of it, changes."""
    order = leased.record
    row = context.people.row(leased.person_key, order.id)
    if row is None or row.reached_at is not None or (row.status, row.modified_at) != (order.status, order.modified_at):
        return False
    dated = _is_dated(order) and status_dates.any_known(order) is not None
    return dated and not (context.modules.carts.enabled and cart_orders.names_cart(order))


def _is_dated(record: Any) -> bool:
    return (record.modified_at or record.created_at) is not None


def own_accounts(session: Session, connector_id: int, ids: Sequence[str]) -> set[tuple[str, str]]:
    """Return (id, person key) of the accounts that are known by the address of the person they stand for.

    An id that no column holds is of none.
    """
    numbers = [int(each) for each in ids if is_number(each)]
    rows = session.execute(_ACCOUNTS, {"connector_id": connector_id, "numbers": numbers}).tuples() if numbers else ()
    return {(str(number), person_key) for number, person_key in rows}


def _rows(
    page: Page, people: Mapping[str, Sequence[str]], now: Mapping[str, str], written: Mapping[str, Settled]
) -> Iterator[dict[str, Any]]:
    for person_key, ids in people.items():
        for source_id in ids:
            change, outcome = written[source_id]
            yield row(change, change.version_read, page.digests[source_id], now[person_key], outcome)


def row(seen: Change | LeasedDelivery, version: str, digest: str, stamp: str, outcome: Outcome) -> dict[str, Any]:
    """Return a record's stamp as `stamps.keep` takes it; `outcome` is what the next sync writes of it.

    `version` is the end of its identity, `digest` that of its row.
    """
    return {
        "kind": seen.kind,
        "source_id": seen.source_id,
        "person_key": seen.person_key,
        "row": digest,
        "stamp": stamp,
        "event": seen.event,
        "number": seen.number,
        "version": version,
        "modified_at": seen.modified_at,
        "reached_at": seen.reached_at,
        "code": outcome.error_code,
        "message": sync_log_writing.said(outcome.message),
        "contact_id": outcome.contact_id,
    }
