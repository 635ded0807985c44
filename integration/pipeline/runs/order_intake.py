"""Reads the store's orders whole: first their list without lines, then each with all that it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy.orm import Session

from integration.errors import Rejected, ServerFault
from integration.events import Change
from integration.models.connector import Connector
from integration.models.run import Run
from integration.pipeline.connectors import fingerprint, store_profile
from integration.pipeline.ingest import listed_orders
from integration.pipeline.runs import gone_orders, lifecycle as run_lifecycle, reading_list
from integration.pipeline.runs.customer_intake import CustomerIntake
from integration.store import parse, reading
from integration.store.completeness import hidden_orders
from integration.store.rows import Failure, Row
from integration.store.windows import Window
from integration.streams import orders as orders_stream


@dataclass
class OrderIntake(CustomerIntake):
    """A run that may read all orders."""

    def _fill_ledger(self) -> None:
        """Read all orders without their lines, so that the first contact already has its final lifetime values."""
        for page in self._pages("ledger"):
            self._page(page, partial(self._note_orders, page=page))
        self._remove_gone()
        self._order_by_buyer()

    def _ledger_list(self) -> Iterator[reading.Page]:
        return self._order_pages(store_profile.statuses(self.connector), fields=reading.LEDGER_FIELDS, phase="ledger")

    def _note_orders(self, session: Session, page: reading.Page) -> None:
        run = session.get_one(Run, self.run.id)
        place = gone_orders.compared(session, self.connector.id, run.cursor.get(gone_orders.CURSOR), page)
        run.cursor = {**run.cursor, gone_orders.CURSOR: place}
        listed_orders.note(session, self._now(), self.connector.id, page.rows, self._origin)

    def _remove_gone(self) -> None:
        """Owe the buyers of orders that are gone their new values."""
        with self.services.db.write() as session:
            place = self._held(session).cursor.get(gone_orders.CURSOR)
            connector = session.get_one(Connector, self.connector.id)
            if place and place["whole"]:
                fingerprint.look_at_list(session, self._now(), connector, place["to"])
        fingerprint.check(connector)
        with self.services.db.read() as session:
            ids = gone_orders.suspects(session, self.connector.id, place)
        changes = list(gone_orders.confirmed(self._client, ids, self._origin, self._now()))
        with self.services.db.write() as session:
            run = self._held(session)
            self._take(session, changes, self._to_come())
            run.cursor = {**run.cursor, gone_orders.CURSOR: None}
            if changes:
                text = f"{len(changes)} orders are no longer in the store; their buyers' values are corrected."
                run_lifecycle.add_line(session, self._now(), run.id, text)

    def _order_by_buyer(self) -> None:
        """Put the orders of a large store in order of their buyers; with bounds the store tells which they are."""
        to_come = self._to_come()
        if to_come is None or self._since() is not None or (self._expected() or 0) <= reading_list.ORDERS_MIN:
            return
        keeper = reading_list.Keeper(self.services.db, self._held)
        with self.services.db.read_steadily() as session:
            orders = to_come.by_buyer(session, self.connector.id)
            keeper.keep(reading_list.packed(orders, self._per_page))
        with self.services.db.write() as session:
            run = self._held(session)
            keeper.whole(run)
            text = f"{keeper.orders:,} orders are read in order of their buyers, so that each is sent once."
            run_lifecycle.add_line(session, self._now(), run.id, text)
        self.run.cursor = run.cursor

    def _expected(self) -> int | None:
        """Return how many orders come by the list that this run has read already, None where it has read none."""
        to_come = self._to_come()
        if to_come is None:
            return None
        with self.services.db.read() as session:
            return to_come.count(session, self.connector.id)

    def _orders(self) -> None:
        for page in self._pages("orders"):
            page = replace(page, failed=[*page.failed, *self._hidden(page)])
            seen = self._door.recognise(orders_stream.KIND, self._origin, page.rows, self._order_change)
            rows = seen.others(page.rows)
            changes, page = self._read_rows(page, rows, seen.change)
            take = partial(self._take, changes=changes, to_come=self._to_come(page), page=seen)
            self._page(page, take, unread=len(rows) - len(changes))
        if reading_list.CURSOR in self.run.cursor:
            with self.services.db.write() as session:
                reading_list.forget(session, self._held(session).id)

    def _order_list(self) -> Iterator[reading.Page]:
        ids = self.options.get("ids") or reading_list.kept(self.services.db, self.run)
        which = store_profile.statuses(self.connector) if self.options.get("ids") else self._chosen_statuses()
        return self._order_pages(which, window=self._since(), ids=ids, expected=self._expected(), phase="orders")

    def _hidden(self, page: reading.Page) -> list[Failure]:
        """Return a failure where the store has orders that it lists and does not give when asked for by their ids.

        What it has no more, or in another status now, is none: a later run tells of it.
        """
        if not page.missing or reading_list.CURSOR not in self.run.cursor:
            return []
        number = page.missing[0]
        try:
            row = reading.fetch_order(self._client, number)
        except (Rejected, ServerFault) as error:
            return [(f"order {number}", error)]
        there = row is not None and row.get("status") in self._chosen_statuses()
        return [hidden_orders(page.missing)] if there else []

    def _order_change(self, row: Row) -> Change:
        return parse.order_change(row, self._origin, self._now())

    def _order_pages(
        self,
        statuses: Sequence[str],
        *,
        window: Window | None = None,
        fields: str = "",
        campaign: bool = False,
        ids: Sequence[int] | reading.Parts | None = None,
        expected: int | None = None,
        phase: str = "",
    ) -> Iterator[reading.Page]:
        if not statuses:
            return iter(())
        return reading.read_orders(
            self._client,
            window=window,
            statuses=statuses,
            fields=fields,
            campaign=campaign,
            start=self._start(phase),
            per_page=self._per_page,
            ids=ids,
            expected=expected,
            pool=self._pool,
        )
