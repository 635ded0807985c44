"""The phases of a run: what is read, in which order, and where it goes on after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from integration import streams
from integration.events import Change
from integration.models.connector import Connector
from integration.models.run import DELIVERING, Run, RunKind
from integration.pipeline.connectors import field_list, fingerprint, store_profile
from integration.pipeline.ingest import listed_orders, order_carts, records, status_events
from integration.pipeline.runs import (
    gone_orders,
    lifecycle as run_lifecycle,
    options as run_options,
    poll_window,
    unfinished_orders,
)
from integration.pipeline.runs.customer_intake import CustomerIntake
from integration.store import parse, reading
from integration.store.rows import Row
from integration.store.windows import Window
from integration.streams import orders as orders_stream
from integration.streams.base import Phase, Stream
from integration.words import span


@dataclass
class Phases(CustomerIntake):
    """Reads what a run asks for."""

    def __post_init__(self) -> None:
        """Look at the options once for all phases."""
        super().__post_init__()
        self._only = set(self.options.get("only") or (stream.module for stream in streams.STREAMS.values()))

    @property
    def calls(self) -> int:
        """Return how many calls to the store were made."""
        return self._client.calls if self._client else 0

    def read(self) -> None:
        """Go through the phases that are left; each page is one transaction with its cursor."""
        self._client = self.services.open_store(self.connector, self.run.correlation_id, obeys=True)
        self._client.heed = self._heed
        run_options.bounds(self.options)
        if self.run.is_dry:
            self.connector = field_list.look(self.services, self.connector, self.run.correlation_id)
        plan = self._phases()
        names = [name for name, _ in plan]
        self._gathers = {"ledger", "orders"} <= set(names)
        begin = names.index(self.run.phase) if self.run.phase in names else 0
        if self.run.phase == DELIVERING:
            return
        self._follow(names)
        try:
            self._go_through(plan, begin)
        finally:
            self._close_lists()

    def _phases(self) -> list[tuple[str, Callable[[], None]]]:
        """Return what is read, in order, each with how it is read: what the streams ask for."""
        changes = self.run.kind == RunKind.INCREMENTAL
        wanted = [
            phase
            for stream in streams.STREAMS.values()
            if stream.module in self._only
            for phase in (stream.change_phases if changes else stream.phases)
            if self._applies(phase, stream)
        ]
        return [(phase.name, self._readers[phase.name]) for phase in sorted(wanted, key=lambda each: each.place)]

    def _applies(self, phase: Phase, stream: Stream) -> bool:
        in_part = self.run.is_dry or self.options.get("ids")
        return (phase.always or stream.is_enabled(self._modules)) and not (phase.everything and in_part)

    @property
    def _readers(self) -> Mapping[str, Callable[[], None]]:
        return {
            "ledger": self._fill_ledger,
            "customers": self._customers,
            "orders": self._orders,
            "changes": self._changed_orders,
            "trash": self._trashed_orders,
            "moved": self._moved_customers,
            "drafts": self._unfinished_orders,
            "recurring": self._recurring,
            "recurring_changes": self._changed_recurring,
        }

    @property
    def _lists(self) -> Mapping[str, Callable[[], Iterator[reading.Page]]]:
        return {"ledger": self._ledger_list, "customers": self._customer_list, "orders": self._order_list}

    # -- everything ---------------------------------------------------------------------------------------------------

    def _fill_ledger(self) -> None:
        """Read all orders without their lines, so that the first contact already has its final lifetime values."""
        for page in self._pages("ledger"):
            self._page(page, partial(self._note_orders, page=page))
        self._remove_gone()

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

    def _orders(self) -> None:
        for page in self._pages("orders"):
            seen = self._door.recognise(orders_stream.KIND, self._origin, page.rows, self._order_change)
            rows = seen.others(page.rows)
            changes, page = self._read_rows(page, rows, seen.change)
            take = partial(self._take, changes=changes, to_come=self._to_come(page), page=seen)
            self._page(page, take, unread=len(rows) - len(changes))

    def _order_list(self) -> Iterator[reading.Page]:
        ids = self.options.get("ids")
        which = store_profile.statuses(self.connector) if ids else self._chosen_statuses()
        return self._order_pages(which, window=self._since(), ids=ids, expected=self._expected(), phase="orders")

    def _expected(self) -> int | None:
        """Return how many orders come by the list that this run has read already, None where it has read none."""
        to_come = self._to_come()
        if to_come is None:
            return None
        with self.services.db.read() as session:
            return to_come.count(session, self.connector.id)

    def _order_change(self, row: Row) -> Change:
        return parse.order_change(row, self._origin, self._now())

    # -- what changed -------------------------------------------------------------------------------------------------

    def _changed_orders(self) -> None:
        began, ahead_s = None, 0
        campaign = self._modules.carts.enabled
        window = poll_window.window(self.connector, self._now())
        for page in self._order_pages(store_profile.statuses(self.connector), window=window, campaign=campaign):
            if began is None:
                ahead_s = status_events.seconds_ahead(page.server_time, self._now())
                self._store_cursors(**{status_events.AHEAD: ahead_s})
            began = began or page.began
            changes, page = self._read_rows(page, page.rows, self._order_change)
            self._page(page, self._new_changes(changes), unread=len(page.rows) - len(changes))
        if began is not None:
            self._tell_step(began, ahead_s)
            self._store_cursors(**poll_window.moved(self.connector, self._now(), began, window, ahead_s))

    def _tell_step(self, began: datetime, ahead_s: int) -> None:
        if back := poll_window.set_back(self.connector, began, ahead_s):
            text = f"The store's clock was set back by {span(back.total_seconds())}; the next run reads from then on."
            with self.services.db.write() as session:
                run_lifecycle.add_line(session, self._now(), self.run.id, text, "warning")

    def _trashed_orders(self) -> None:
        window = poll_window.window(self.connector, self._now(), poll_window.PREVIOUS)
        for page in self._order_pages(("trash",), window=window, fields=reading.LEDGER_FIELDS):
            changes, page = self._read_rows(page, page.rows, self._trashed)
            self._page(page, self._new_changes(changes), unread=len(page.rows) - len(changes))

    def _trashed(self, row: Row) -> Change:
        return records.trashed(row, self._origin, self._now())

    def _unfinished_orders(self) -> None:
        if not self._modules.carts.from_orders:
            return
        began, ahead_s = None, 0
        window = poll_window.of_drafts(self.connector, self._now())
        place = self._start(), self._per_page
        for page in unfinished_orders.pages(self.services, self.connector, self._client, window, *place):
            if began is None:
                ahead_s = status_events.seconds_ahead(page.server_time, self._now())
            began = began or page.began
            self._page(page, partial(self._keep_carts, rows=page.rows))
        if began is not None:
            self._store_cursors(**poll_window.one_moved(self.connector, poll_window.DRAFTS, began, window, ahead_s))

    def _keep_carts(self, session: Session, rows: Sequence[Row]) -> None:
        order_carts.take(session, self._now(), self.connector, self._modules.carts, rows)

    # -- the common road ----------------------------------------------------------------------------------------------

    def _order_pages(
        self,
        statuses: Sequence[str],
        *,
        window: Window | None = None,
        fields: str = "",
        campaign: bool = False,
        ids: Sequence[int] | None = None,
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
