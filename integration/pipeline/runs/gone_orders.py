"""Orders that the ledger knows and the store has no more: no webhook tells of those that were deleted for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration import streams
from integration.errors import Rejected, ServerFault
from integration.events import Change, Origin
from integration.models.ledger import LedgerEntry
from integration.pipeline.ingest import order_ledger, records
from integration.pipeline.runs import gone_records
from integration.store import reading
from integration.store.by_id import pick
from integration.store.client import StoreClient
from integration.store.pages import Page

#: Key in the cursor of a run: how far the list was compared with the ledger, and which orders were missing in it.
CURSOR = "gone"


def compared(session: Session, connector_id: int, known: Mapping[str, Any] | None, page: Page) -> dict[str, Any]:
    """Return the place after a page of the list of all orders."""
    return gone_records.compared(known, page, partial(_known, session, connector_id))


def suspects(session: Session, connector_id: int, known: Mapping[str, Any] | None) -> list[int]:
    """Return the orders to ask the store for after the last page: none of a list that did not come whole."""
    return gone_records.suspects(known, partial(_known, session, connector_id))


def _known(session: Session, connector_id: int, after: int, upto: int | None, limit: int) -> list[int]:
    query = select(LedgerEntry.order_id).where(
        LedgerEntry.connector_id == connector_id,
        LedgerEntry.order_id > after,
        LedgerEntry.status != order_ledger.GONE,
    )
    if upto is not None:
        query = query.where(LedgerEntry.order_id <= upto)
    return list(session.scalars(query.order_by(LedgerEntry.order_id).limit(limit)))


def confirmed(client: StoreClient, ids: Sequence[int], origin: Origin, now: datetime) -> Iterator[Change]:
    """Yield the removal of each of these orders that is not in the store any more, or lies in its trash.

    Those that no list gives are asked for one by one, for a list may hide what is there. Raises ServiceError.
    """
    pages = pick(client, "orders", {"_fields": reading.LEDGER_FIELDS}, ids)
    there = {row["id"] for page in pages for row in page.rows}
    for number in ids:
        if number not in there:
            yield from _asked(client, number, origin, now)


def _asked(client: StoreClient, number: int, origin: Origin, now: datetime) -> Iterator[Change]:
    try:
        row = reading.fetch_order(client, number)
    except (Rejected, ServerFault):
        # Nobody can tell whether it is there; the next run asks again.
        return
    if row is None:
        yield removal(number, origin, now)
    elif row.get("status") == order_ledger.GONE:
        yield records.trashed(row, origin, now)


def removal(number: int, origin: Origin, now: datetime) -> Change:
    """Return the change of an order that is gone; whose it was the ledger knows."""
    (kind,) = streams.kinds("in_ledger")
    return Change(kind, str(number), "deleted", "", {"id": number}, now, origin, None, str(number))
