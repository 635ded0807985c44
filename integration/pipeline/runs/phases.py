"""The phases of a run: what is read, in which order, and where it goes on after a restart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from integration import streams
from integration.events import Change
from integration.models.run import DELIVERING, RunKind
from integration.pipeline.connectors import field_list, store_profile
from integration.pipeline.ingest import order_carts, records, status_events
from integration.pipeline.runs import (
    lifecycle as run_lifecycle,
    options as run_options,
    poll_window,
    unfinished_orders,
)
from integration.pipeline.runs.order_intake import OrderIntake
from integration.store import reading
from integration.store.rows import Row
from integration.streams.base import Phase, Stream
from integration.words import span


@dataclass
class Phases(OrderIntake):
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
