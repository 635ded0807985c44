"""Accepts the pages of a run: rows, cursor and counters stand or fall together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from integration.events import Change
from integration.models.connector import Connector
from integration.models.run import Run
from integration.pipeline import outbox, usage
from integration.pipeline.connectors import fingerprint
from integration.pipeline.delivery.door import Door
from integration.pipeline.delivery.stamps import Page
from integration.pipeline.dry_run import forecast
from integration.pipeline.ingest import records
from integration.pipeline.leases import endings
from integration.pipeline.leases.endings import Stopped
from integration.pipeline.payloads import files as payload_files
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.runs.held_run import HeldRun
from integration.store import reading
from integration.store.completeness import SHORT_LIST
from integration.store.rows import Failure, Row
from integration.words import counted

#: Reading waits while so many deliveries of the run can be sent: payloads stay fresh and open rows few.
OPEN_MAX = 3000
#: So many more may wait for the rest of their people to be read; beyond it the oldest go without it. Of a large store
#: these are the customers who have orders to come, a kilobyte or two each in the database.
GATHERED_MAX = 1_000_000
#: So many people more are let go then, or one of the next pages would have to look again.
LET_GO_MORE = 10_000
#: So long it waits before it looks how many there are.
LOOK_AGAIN_S = 0.3


@dataclass
class PageIntake(HeldRun):
    """A leased run that takes pages; `pages` counts those accepted since it was made.

    `partly` says that nothing is left to be read but what the store refuses.
    """

    pages: int = 0
    partly: bool = False

    def __post_init__(self) -> None:
        """Open the door that all pages come through."""
        self._door = Door(self.services, self.run)
        self._silent = False
        self._unlooked = 0

    @property
    def options(self) -> Mapping[str, Any]:
        """Return what the run was asked for."""
        return self.run.options

    def _take(
        self,
        session: Session,
        changes: Sequence[Change],
        to_come: outbox.ToCome | None = None,
        page: Page | None = None,
    ) -> None:
        """Count the changes as pulled and owe them to Mautic; a dry run only foretells what would become of them.

        Rows of the `page` that are as they were are settled here, or are among the changes.
        """
        known: set[str] = set()
        if page is not None:
            known = self._door.settle_known(session, self._now(), page)
            changes = page.completed(changes, known)
        session.get_one(Run, self.run.id).pulled += len(changes) + len(known)
        if self.run.is_dry:
            forecast.foretell(session, self._now(), self.connector, self.run, changes)
            return
        now, connector_id = self._now(), self.connector.id
        settle = partial(self._door.settle, page=page)
        accepted = records.accept(session, now, connector_id, changes, self.run.id, settle, to_come)
        run = session.get_one(Run, self.run.id)
        run.accepted += accepted.taken + len(known)
        run.already += accepted.already
        self._silent = not accepted.opened
        if accepted.opened:
            self.services.on_accept(session, self.connector.id)

    def _page(
        self, page: reading.Page, take: Callable[[Session], None], *, rows: int | None = None, unread: int = 0
    ) -> None:
        """Accept one page: its rows, the run's cursor and its counters stand or fall together.

        `rows` is how many of its rows are meant, `unread` how many of these came in a form that cannot be read.
        """
        if self.options.get("payloads"):
            title = f"Page {page.number} of {page.pages or '?'} ({self.run.phase}) as the store gave it"
            payload_files.store(self.services, self.run, "pull", title, page.rows)
        self._silent = False
        calls = 0 if self.run.is_dry else self._door.prepare()
        with self.services.db.write() as session:
            run = self._held(session)
            # Kept while the page is taken, so that whoever needs it there does not read it again.
            connector = session.get_one(Connector, self.connector.id)
            run.calls += calls
            before = run.pulled
            take(session)
            run.cursor = {**run.cursor, run.phase: page.cursor}
            run.pulled += unread
            run.failed += unread
            if not self.run.is_dry:
                usage.record(session, self.connector.id, self._now(), pulled=run.pulled - before, mautic_calls=calls)
            self._tell(session, run, page, rows)
        self.run.cursor = run.cursor
        self.pages += 1
        fingerprint.check_run(connector, self.run)
        if not self._silent:
            self.services.wakeup.ring(self.connector.id)
            self._yield(len(page.rows))
        if self.stop.is_set():
            raise Stopped

    def _tell(self, session: Session, run: Run, page: reading.Page, rows: int | None) -> None:
        seen = len(page.rows) if rows is None else rows
        text = f"Read page {page.number} of {page.pages or '?'} ({run.phase}): {counted(seen, 'record')}."
        run_lifecycle.add_line(session, self._now(), run.id, text)
        for what, error in page.failed:
            run_lifecycle.add_line(session, self._now(), run.id, f"The store could not give {what}: {error}", "error")
            if error.code == SHORT_LIST:
                run.cursor = {**run.cursor, SHORT_LIST: error.sentence}
        if page.number == 1 and page.total is not None and run.phase in ("customers", "orders", "changes"):
            run.expected = (run.expected or 0) + page.total

    def _yield(self, rows: int) -> None:
        """Wait while enough deliveries of this run can be sent; of those that wait for more, too many are let go.

        To count them costs more than to take a page of so many `rows`: half of the room that was left is filled unseen.
        """
        self._unlooked -= rows
        while self._unlooked < 0 and not self.stop.is_set():
            with self.services.db.read() as session:
                still = outbox.open_count(session, run_id=self.run.id)
                ready = still if still < OPEN_MAX else self._sendable(session)
            room = OPEN_MAX - ready
            # With enough to send nobody needs to be let go, nor is it known how many are gathered.
            too_many = still - ready - GATHERED_MAX if room > 0 else 0
            if room > 0 and too_many <= 0:
                self._unlooked = min(room, -too_many) // 2
                return
            with self.services.db.write() as session:
                self._held(session)
                if too_many > 0:
                    outbox.let_go(session, self.connector.id, self.run.id, most=too_many + LET_GO_MORE)
            if too_many <= 0:
                self.stop.wait(LOOK_AGAIN_S)

    def _sendable(self, session: Session) -> int:
        return outbox.sendable_count(session, self.connector.id, self.run.id, OPEN_MAX)

    def _read_rows(
        self, page: reading.Page, rows: Iterable[Row], read: Callable[[Row], Change], noun: str = "order"
    ) -> tuple[list[Change], reading.Page]:
        """Return what the rows say, and the page with those among its failures that cannot be read at all."""
        changes: list[Change] = []
        failed: list[Failure] = []
        for row in rows:
            try:
                changes.append(read(row))
            except Exception as error:
                failed.append((f"{noun} {row['id']} in a form that can be read", endings.cause_of(error, "Reading it")))
        return changes, replace(page, failed=[*page.failed, *failed])

    def _store_cursors(self, **values: Any) -> None:
        """Remember how far the store was read; a dry run has taken nothing, so the next run begins where it began."""
        if self.run.is_dry:
            return
        with self.services.db.write() as session:
            row = session.get_one(Connector, self.connector.id)
            row.cursors = {**row.cursors, **values}
        self.connector.cursors = row.cursors
