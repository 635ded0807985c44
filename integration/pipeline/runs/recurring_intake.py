"""Reads the store's own subscriptions (P44), where it has them, and what all readings of the store have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from integration import streams
from integration.events import Change, Origin
from integration.models.run import RunKind
from integration.pipeline import outbox
from integration.pipeline.connectors import store_profile
from integration.pipeline.ingest import records, status_events
from integration.pipeline.runs import options as run_options, poll_window, reading_list
from integration.pipeline.runs.partial_intake import PartialIntake
from integration.store import reading
from integration.store.pages import SIZES
from integration.store.rows import Row
from integration.store.windows import Window

_ORIGINS = {
    RunKind.INITIAL: Origin.INITIAL,
    RunKind.FULL: Origin.FULL,
    RunKind.BULK: Origin.BULK,
    RunKind.INCREMENTAL: Origin.POLL,
}


@dataclass
class RecurringIntake(PartialIntake):
    """A run that may read subscriptions; `_client` is the store's once the reading has begun."""

    def __post_init__(self) -> None:
        """Begin without a connection to the store; `_gathers` says that people wait until all of theirs was read."""
        super().__post_init__()
        self._client: Any = None
        self._modules = self.services.modules(self.connector)
        self._gathers = False

    def _recurring(self) -> None:
        """Read all subscriptions; a run that asks for statuses of orders means none of them."""
        if not self.options.get("statuses"):
            for page in self._recurring_pages(self._since()):
                changes, page = self._read_rows(page, page.rows, self._recurring_change, "subscription")
                self._page(page, partial(self._take, changes=changes), unread=len(page.rows) - len(changes))

    def _changed_recurring(self) -> None:
        began, ahead_s = None, 0
        window = poll_window.of_recurring(self.connector, self._now())
        for page in self._recurring_pages(window):
            if began is None:
                began, ahead_s = page.began, status_events.seconds_ahead(page.server_time, self._now())
            changes, page = self._read_rows(page, page.rows, self._recurring_change, "subscription")
            self._page(page, self._new_changes(changes), unread=len(page.rows) - len(changes))
        if began is not None:
            which = poll_window.RECURRING
            self._store_cursors(**poll_window.one_moved(self.connector, which, began, window, ahead_s))

    def _recurring_change(self, row: Row) -> Change:
        (stream,) = (stream for stream in streams.STREAMS.values() if stream.recurs)
        return stream.change(row, self._origin, self._now())

    def _recurring_pages(self, window: Window | None) -> Iterable[reading.Page]:
        if not store_profile.has_subscriptions(self.connector):
            return []
        return reading.read_recurring(self._client, window=window, start=self._start(), per_page=self._per_page)

    def _new_changes(self, changes: Sequence[Change]) -> Callable[[Session], None]:
        every = poll_window.takes_again(self.connector)

        def take(session: Session) -> None:
            self._take(session, changes if every else records.unseen(session, self.connector.id, changes))

        return take

    @property
    def _per_page(self) -> int:
        return int(self.options.get("page_size") or SIZES[0])

    def _start(self, phase: str = "") -> Any:
        return self.run.cursor.get(phase or self.run.phase)

    @property
    def _origin(self) -> Origin:
        return _ORIGINS.get(RunKind(self.run.kind), Origin.BULK)

    def _since(self) -> Window | None:
        since, until = run_options.bounds(self.options)
        return Window(since, until) if since or until else None

    def _chosen_statuses(self) -> tuple[str, ...]:
        wanted = tuple(self.options.get("statuses") or self._modules.orders.statuses)
        known = store_profile.statuses(self.connector)
        return tuple(status for status in wanted if status in known)

    def _to_come(self, page: reading.Page | None = None) -> outbox.ToCome | None:
        """Return what comes behind a page of orders, or behind any other; None in a run that reads but a part.

        Where orders are read by their buyers nothing of those in a page comes behind it.
        """
        if not self._gathers:
            return None
        if (page and page.asked) or reading_list.is_done(self.run):
            return outbox.ToCome((), page=page.asked if page else ())
        place = page.cursor if page else self.run.cursor.get("orders") or {}
        since, until = run_options.bounds(self.options)
        ids = [row["id"] for row in page.rows] if page else []
        return outbox.ToCome(self._chosen_statuses(), place.get("last_id", 0), since, until, ids)
