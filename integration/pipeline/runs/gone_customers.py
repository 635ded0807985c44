"""Customers who were read once and are not in the store any more: whoever has no webhooks is told of none of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import streams
from integration.errors import Rejected, ServerFault
from integration.events import Change, Origin
from integration.models.connector import Connector
from integration.models.ledger import CustomerMark
from integration.pipeline.runs import gone_records
from integration.store import reading
from integration.store.by_id import pick
from integration.store.client import StoreClient
from integration.store.pages import Page

#: Key in the cursor of a run: how far the list was compared with the marks, and which customers were missing in it.
CURSOR = "gone_customers"
#: Cursor of the connector: when customers were met last that no list gives, and that the store has all the same.
HIDDEN = "customers_hidden"
#: Those cost a call each, so they are asked for once in this time only.
HIDDEN_EVERY = timedelta(days=1)


def due(connector: Connector, now: datetime) -> bool:
    """Tell whether who is missing in the list is asked for: always, but for a day after the list hid somebody."""
    last = connector.cursors.get(HIDDEN)
    return not last or abs(now - datetime.fromisoformat(last)) > HIDDEN_EVERY


def compared(session: Session, connector_id: int, place: Mapping[str, Any] | None, page: Page) -> dict[str, Any]:
    """Return the place after a page of the list of all customers."""
    return gone_records.compared(place, page, partial(_known, session, connector_id))


def suspects(session: Session, connector_id: int, place: Mapping[str, Any] | None) -> list[int]:
    """Return the customers to ask the store for after the last page: none of a list that was not whole, or empty."""
    if not place or not place["to"]:
        return []
    return gone_records.suspects(place, partial(_known, session, connector_id))


def _known(session: Session, connector_id: int, after: int, upto: int | None, limit: int) -> list[int]:
    query = select(CustomerMark.customer_id).where(
        CustomerMark.connector_id == connector_id, CustomerMark.customer_id > after
    )
    if upto is not None:
        query = query.where(CustomerMark.customer_id <= upto)
    return list(session.scalars(query.order_by(CustomerMark.customer_id).limit(limit)))


def confirmed(client: StoreClient, ids: Sequence[int], origin: Origin, now: datetime) -> Iterator[Change]:
    """Yield the deletion of each of these customers who is not in the store any more. Raises ServiceError.

    Those whom no list gives are asked for one by one, for a list may hide who is there.
    """
    pages = pick(client, "customers", {"role": "all", "_fields": "id"}, ids)
    there = {row["id"] for page in pages for row in page.rows}
    for number in ids:
        if number not in there and _is_gone(client, number):
            yield _deletion(number, origin, now)


def _is_gone(client: StoreClient, number: int) -> bool:
    try:
        return reading.fetch_one(client, "customers", number) is None
    except (Rejected, ServerFault):
        # Nobody can tell whether they are there; a later run asks again.
        return False


def _deletion(number: int, origin: Origin, now: datetime) -> Change:
    """Return the change of a customer who is gone; whose account it was the marks know."""
    (kind,) = streams.kinds("is_account")
    return Change(kind, str(number), "deleted", "", {"id": number}, now, origin, None, str(number))
