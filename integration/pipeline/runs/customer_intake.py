"""Reads the store's customers: all of them, those who changed, and who of those that were read is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from sqlalchemy.orm import Session

from integration.events import Change
from integration.models.connector import Connector
from integration.models.run import Run
from integration.pipeline.connectors import customer_roles, fingerprint
from integration.pipeline.delivery.stamps import Page
from integration.pipeline.ingest import account_addresses, records
from integration.pipeline.runs import (
    customer_versions,
    gone_customers,
    lifecycle as run_lifecycle,
    options as run_options,
)
from integration.pipeline.runs.list_intake import ListIntake
from integration.store import parse, reading
from integration.store.dates import lenient
from integration.store.rows import Failure, Row
from integration.streams import contacts as contacts_stream
from integration.words import counted

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class CustomerIntake(ListIntake):
    """A run that may read customers."""

    def _customers(self) -> None:
        """Read all customers, or those that the run asks for; who is gone is told by a whole list only."""
        asked = ("ids", "since", "until")
        whole = not any(self.options.get(name) for name in asked) and self._looks_for_gone
        for listed in self._pages("customers"):
            rows = [row for row in listed.rows if self._wanted(row)]
            seen = self._door.recognise(contacts_stream.KIND, self._origin, rows, self._customer_change)
            others = seen.others(rows)
            changes, page = self._read_rows(listed, others, seen.change, "customer")
            take = self._customer_rows(rows, changes, known=seen)
            take = partial(self._compared, page=listed, take=take) if whole else take
            self._page(page, take, rows=len(rows), unread=len(others) - len(changes))
        if whole:
            self._remove_gone_customers()

    def _customer_change(self, row: Row) -> Change:
        return parse.customer_change(row, self._origin, self._now(), created=False)

    def _customer_rows(
        self, rows: Sequence[Row], changes: Sequence[Change], seen: Sequence[Row] = (), known: Page | None = None
    ) -> Callable[[Session], None]:
        def take(session: Session) -> None:
            self._take(session, changes, self._to_come(), known)
            if not self.run.is_dry:
                read = {row["id"]: row for row in (*seen, *rows)}
                marks = {number: customer_versions.version(row) for number, row in read.items()}
                emails = {number: row.get("email") for number, row in read.items()}
                records.mark_customers(session, self.connector.id, marks, emails)
                customer_roles.note(session, self.connector.id, read.values())

        return take

    def _moved_customers(self) -> None:
        if not customer_versions.due(self.connector, self._now()):
            return
        total = 0
        for listed in reading.read_customers(self._client, fields=reading.CUSTOMER_INDEX_FIELDS, start=self._start()):
            total = listed.total or total
            self._moved_page(listed)
        if self._looks_for_gone:
            self._remove_gone_customers()
        self._store_cursors(customers=self._now().isoformat(), customers_total=total)

    def _moved_page(self, listed: reading.Page) -> None:
        rows, failed = self._read_moved(self._moved(listed.rows))
        missing = {what for what, _ in failed}
        seen = [row for row in listed.rows if f"customer {row['id']}" not in missing]
        page = replace(listed, failed=[*listed.failed, *failed])
        changes, page = self._read_rows(page, rows, self._customer_change, "customer")
        take = partial(self._compared, page=listed, take=self._customer_rows(rows, changes, seen))
        self._page(page, take, rows=len(rows), unread=len(rows) - len(changes))

    def _read_moved(self, ids: Sequence[int]) -> tuple[list[Row], list[Failure]]:
        """Read customers whole; one that the store cannot give is said, and looked at again next time."""
        rows: list[Row] = []
        failed: list[Failure] = []
        for page in reading.read_customers(self._client, ids=ids) if ids else ():
            rows += page.rows
            failed += page.failed
        return rows, failed

    def _moved(self, index: Sequence[Row]) -> list[int]:
        """Return who moved; before anything was read that is who changed since the connector was made."""
        if not self.connector.cursors.get("customers") and not self.connector.initial_done_at:
            began = self.connector.created_at
            return [row["id"] for row in index if (lenient(row.get("date_modified_gmt")) or _NEVER) >= began]
        with self.services.db.read() as session:
            return records.moved_customers(
                session, self.connector.id, {row["id"]: customer_versions.version(row) for row in index}
            )

    def _customer_list(self) -> Iterator[reading.Page]:
        return reading.read_customers(
            self._client,
            start=self._start("customers"),
            per_page=self._per_page,
            ids=self.options.get("ids"),
            pool=self._pool,
        )

    def _wanted(self, row: Row) -> bool:
        since, until = run_options.bounds(self.options)
        at = lenient(row.get("date_modified_gmt")) or lenient(row.get("date_created_gmt"))
        return at is None or ((since is None or at >= since) and (until is None or at < until))

    # -- who is gone --------------------------------------------------------------------------------------------------

    @property
    def _looks_for_gone(self) -> bool:
        return not self.run.is_dry and gone_customers.due(self.connector, self._now())

    def _compared(self, session: Session, page: reading.Page, take: Callable[[Session], None]) -> None:
        """Take a page, and look first who is missing in it: its own customers are marked by taking it."""
        run = session.get_one(Run, self.run.id)
        place = gone_customers.compared(session, self.connector.id, run.cursor.get(gone_customers.CURSOR), page)
        run.cursor = {**run.cursor, gone_customers.CURSOR: place}
        take(session)

    def _remove_gone_customers(self) -> None:
        """Owe Mautic what the settings say of the customers who are gone, once the store has said that they are."""
        with self.services.db.read() as session:
            place = session.get_one(Run, self.run.id).cursor.get(gone_customers.CURSOR)
            ids = gone_customers.suspects(session, self.connector.id, place)
            fingerprint.check(session.get_one(Connector, self.connector.id))
        changes = list(gone_customers.confirmed(self._client, ids, self._origin, self._now()))
        with self.services.db.write() as session:
            run = self._held(session)
            self._take(session, changes)
            account_addresses.close(session, self.connector.id, [int(change.source_id) for change in changes])
            run.cursor = {**run.cursor, gone_customers.CURSOR: None}
            if changes:
                said = counted(len(changes), "customer is", "customers are")
                text = f"{said} no longer in the store; their contacts are handled as Contact Sync says."
                run_lifecycle.add_line(session, self._now(), run.id, text)
        if len(changes) < len(ids):
            self._store_cursors(**{gone_customers.HIDDEN: self._now().isoformat()})
