"""Reads the store's orders whole: first their list without lines, then each with all that it says."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from sqlalchemy.orm import Session

from integration.errors import AuthRejected, NotSetUp, Rejected, ServerFault, ServiceError
from integration.events import Change
from integration.models.connector import Connector
from integration.models.run import Run
from integration.pipeline.connectors import fingerprint, store_profile
from integration.pipeline.ingest import listed_orders, order_ledger
from integration.pipeline.runs import gone_orders, lifecycle as run_lifecycle, reading_list, refusals
from integration.pipeline.runs.customer_intake import CustomerIntake
from integration.store import parse, reading
from integration.store.access import SERVICE
from integration.store.by_id import GaveUp
from integration.store.rows import Row
from integration.store.windows import Window
from integration.streams import orders as orders_stream
from integration.words import counted

#: So many orders of a call may be gone from the store since it listed them: each is looked for by itself.
MISSING_MAX = 10


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
        same = listed_orders.note(session, self._now(), self.connector.id, page.rows, self._origin)
        if self._gathers:
            chosen = self._chosen_statuses()
            noted = [row["id"] for row in page.rows if row["id"] not in same and row.get("status") in chosen]
            unknown = order_ledger.unknown(session, self.connector.id, noted)
            reading_list.leave_out(session, run.id, page.number, unknown)

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
                gone = counted(len(changes), "order is", "orders are")
                text = f"{gone} no longer in the store; the buyers' values are corrected."
                run_lifecycle.add_line(session, self._now(), run.id, text)

    def _order_by_buyer(self) -> None:
        """Put the orders in order of their buyers where there are many, but for those that are being read already."""
        to_come, begun = self._to_come(), "orders" in self._begun or self.run.cursor.get("orders") is not None
        # With bounds the store alone tells which orders it means.
        if to_come is None or begun or self._since() is not None:
            return
        if (self._expected() or 0) <= reading_list.ORDERS_MIN:
            return
        keeper = reading_list.Keeper(self.services.db, self._held)
        with self.services.db.read_steadily() as session:
            left_out = reading_list.left_out(session, self.run.id)
            unknown = order_ledger.unknown(session, self.connector.id, left_out)
            orders = chain(to_come.by_buyer(session, self.connector.id), (("", number) for number in unknown))
            keeper.keep(reading_list.packed(orders, self._per_page))
        with self.services.db.write() as session:
            run = self._held(session)
            keeper.whole(run)
            how = "are read buyer by buyer: each buyer is sent once all of their orders are here."
            run_lifecycle.add_line(session, self._now(), run.id, f"{keeper.orders:,} orders {how}")
        self.run.cursor = run.cursor

    def _expected(self) -> int | None:
        """Return how many orders come by the list that this run has read already, None where it has read none."""
        to_come = self._to_come()
        if to_come is None:
            return None
        with self.services.db.read() as session:
            return to_come.count(session, self.connector.id)

    def _orders(self) -> None:
        if reading_list.is_in_use(self.run) and self._by_buyer():
            return
        before = reading_list.read_before(self.services.db, self.run)
        for page in self._pages("orders"):
            self._take_orders(page, [row for row in page.rows if not _stands_in(before, row["id"])])

    def _by_buyer(self) -> bool:
        """Read orders by the run's list; return False where the store does not give what it lists."""
        try:
            for page in self._pages("orders"):
                self._look_for(page.missing)
                self._take_orders(page, page.rows)
        except (GaveUp, AuthRejected, NotSetUp, Rejected) as error:
            if isinstance(error, ServiceError):
                if not _is_of_the_list(error):
                    raise
                self._ask_for_the_list()
            self._give_up(error)
            return False
        return True

    def _ask_for_the_list(self) -> None:
        """Raise the store's error where it refuses its list as well: that may pass, and the run goes on as it was."""
        next(reading.read_orders(self._client, statuses=self._chosen_statuses(), fields="id", per_page=1), None)

    def _was_begun(self, name: str) -> bool:
        return super()._was_begun(name) or (name == "orders" and reading_list.was_begun(self.run))

    def _look_for(self, missing: Sequence[int]) -> None:
        """Raise GaveUp where the store has orders that it did not give with others; those it has no more are gone."""
        if len(missing) > MISSING_MAX:
            raise GaveUp(f"{len(missing)} orders were missing")
        for number in missing:
            try:
                row = reading.fetch_order(self._client, number)
            except ServerFault as error:
                raise GaveUp(str(error)) from error
            if row is not None and row.get("status") in self._chosen_statuses():
                raise GaveUp(f"order {number} was missing")

    def _give_up(self, error: Exception) -> None:
        with self.services.db.write() as session:
            run = self._held(session)
            reading_list.give_up(run)
            text = f"Orders are read in order of their ids: the store does not give them as it lists them ({error})."
            run_lifecycle.add_line(session, self._now(), run.id, text, "warning")
        self.run.cursor = run.cursor

    def _take_orders(self, page: reading.Page, rows: Sequence[Row]) -> None:
        """Take the rows of a page that are still to be taken."""
        to_come = self._to_come(page)
        seen = self._door.recognise(orders_stream.KIND, self._origin, rows, self._order_change)
        others = seen.others(rows)
        changes, page = self._read_rows(page, others, seen.change)
        take = partial(self._take, changes=changes, to_come=to_come, page=seen)
        self._page(page, take, rows=len(rows), unread=len(others) - len(changes))

    def _order_list(self) -> Iterator[reading.Page]:
        chosen: Sequence[int] | reading.Parts | None = self.options.get("ids")
        which = store_profile.statuses(self.connector) if chosen else self._chosen_statuses()
        if not chosen and reading_list.is_in_use(self.run):
            chosen = reading_list.kept(self.services.db, self.run)
        # How many are expected lets pages of the list be asked for ahead; ids tell that themselves.
        expected = None if chosen else self._expected()
        return self._order_pages(which, window=self._since(), ids=chosen, expected=expected, phase="orders")

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


def _is_of_the_list(error: ServiceError) -> bool:
    """Tell whether the store refuses to give orders by their ids, and not the key, a status, or Mautic something."""
    return error.service == SERVICE and not (refusals.concerns_all(error) or store_profile.refuses_status(error))


def _stands_in(ids: Sequence[int], number: int) -> bool:
    place = bisect_left(ids, number)
    return place < len(ids) and ids[place] == number
