"""Goes through the store, the book and Mautic, page by page, each page one transaction with its cursor.

First the ledger is brought up to date from a cheap list of orders, then customers and those who only ordered are
compared with their orders, then what is left of our links, and of contacts with our fields, is what the store has no
more. Nobody is kept in memory but the people of one page.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from integration.errors import Rejected, ServerFault
from integration.mapping import aliases
from integration.mautic import reading as contacts
from integration.mautic.client import MauticClient
from integration.mautic.paging import number_of
from integration.mautic.search import entries
from integration.models.connector import Connector
from integration.models.drift import Reconciliation
from integration.operations.reconciliation import book, leftovers
from integration.operations.reconciliation.book import Step
from integration.operations.reconciliation.comparison import Comparison
from integration.operations.reconciliation.people import Gathering, Person, note
from integration.pipeline import usage
from integration.pipeline.connectors import store_profile
from integration.pipeline.connectors.field_list import ensure_fields
from integration.pipeline.runs.page_intake import HEED_EVERY_S
from integration.pipeline.services import Services
from integration.store import reading
from integration.store.client import StoreClient
from integration.store.completeness import SHORT_LIST

#: People that are compared at once.
AT_ONCE = 100
#: Links looked at in one call.
LINKS_AT_ONCE = 200
PHASES = ("ledger", "customers", "buyers", "links", "strangers")


@dataclass
class Walk:
    """One slice of a leased reconciliation; `enough` says after each page whether the slice is over."""

    services: Services
    row: Reconciliation
    token: str
    enough: Callable[[], bool]
    stop: threading.Event = field(default_factory=threading.Event)
    _heeded: float = 0.0

    def go(self, connector: Connector) -> bool:
        """Go on from the cursor; True when all is done. Raises ServiceError, book.Lost and book.Cancelled."""
        self._open(connector)
        while (phase := self._cursor.get("phase", PHASES[0])) != "done":
            for step in getattr(self, f"_{phase}")():
                self._write(step)
                if self.enough() or self.stop.wait(0.05):
                    return False
            after = [*PHASES, "done"][PHASES.index(phase) + 1]
            self._write(Step({"phase": after}))
        return True

    def _open(self, connector: Connector) -> None:
        self._cursor: dict[str, Any] = {k: v for k, v in self.row.cursor.items() if k in ("phase", "place")}
        self._store: StoreClient = self.services.open_store(store_profile.refresh(self.services, connector), obeys=True)
        self._mautic: MauticClient = self.services.open_mautic(connector, obeys=True)
        self._store.heed = self._mautic.heed = self._heed
        self._connector = ensure_fields(self.services, connector, self._mautic)
        self._gathering = Gathering(self.services, self._connector, self._store)
        self._comparison = Comparison(self.services, self._connector, self._mautic)
        self._modules = self.services.modules(self._connector)
        self._counted = (0, 0)

    def _heed(self) -> None:
        """Look before each call whether it is to stop, at most once a second: one page of people takes many calls."""
        if time.monotonic() - self._heeded >= HEED_EVERY_S:
            self._heeded = time.monotonic()
            with self.services.db.read() as session:
                book.check(session, self.row.id, self.token)

    def _write(self, step: Step) -> None:
        now = self.services.clock.now()
        calls = (self._mautic.calls, self._store.calls)
        to_mautic, to_store = calls[0] - self._counted[0], calls[1] - self._counted[1]
        with self.services.db.write() as session:
            row = book.keep(session, now, self.row.id, self.token)
            book.note(session, now, row, step)
            row.calls += to_mautic + to_store
            usage.record(session, row.connector_id, now, mautic_calls=to_mautic, store_calls=to_store)
        self._counted = calls
        self._cursor = dict(step.cursor)

    def _after(self, phase: str, place: Any) -> dict[str, Any]:
        return {"phase": phase, "place": place}

    # -- the store ----------------------------------------------------------------------------------------------------

    def _ledger(self) -> Iterator[Step]:
        pages = reading.read_orders(
            self._store,
            statuses=store_profile.statuses(self._connector),
            fields=reading.LEDGER_FIELDS,
            start=self._cursor.get("place"),
        )
        for page in _filled(pages):
            note(self.services, self._connector.id, page.rows)
            yield Step(self._after("ledger", page.cursor))

    def _customers(self) -> Iterator[Step]:
        for page in _filled(reading.read_customers(self._store, start=self._cursor.get("place"))):
            people = self._gathering.customers(page.rows)
            yield self._compared(people, self._after("customers", page.cursor))

    def _buyers(self) -> Iterator[Step]:
        while True:
            with self.services.db.read() as session:
                place = str(self._cursor.get("place") or "")
                person_keys = leftovers.buyers(session, self._connector.id, place, AT_ONCE)
                known = book.met(session, self.row.id, person_keys)
            if not person_keys:
                return
            people = self._gathering.buyers(person_key for person_key in person_keys if person_key not in known)
            yield self._compared(people, self._after("buyers", person_keys[-1]))

    def _compared(self, people: list[Person], cursor: dict[str, Any]) -> Step:
        findings, checked = self._comparison.compare(people)
        return Step(cursor, findings, [person.person_key for person in people], checked)

    # -- what the store has no more -----------------------------------------------------------------------------------

    def _links(self) -> Iterator[Step]:
        while True:
            with self.services.db.read() as session:
                place = str(self._cursor.get("place") or "")
                links = leftovers.links(session, self._connector.id, place, LINKS_AT_ONCE)
                known = book.met(session, self.row.id, [link.person_key for link in links])
            if not links:
                return
            left = [link for link in links if link.person_key not in known]
            held = contacts.by_ids(self._mautic, [link.contact_id for link in left])
            found = [leftovers.linked(link) for link in left if link.contact_id in held]
            yield Step(self._after("links", links[-1].person_key), found, checked=len(left))

    def _strangers(self) -> Iterator[Step]:
        """Contacts with our order count that no link leads to; a Mautic that cannot search so is left in peace."""
        alias = aliases.actual(aliases.ORDER_COUNT, {field["alias"] for field in self._connector.fields})
        if alias is None:
            return
        while True:
            last = int(self._cursor.get("place") or 0)
            try:
                rows = self._with_field(alias, last)
            except (Rejected, ServerFault):
                return
            if not rows:
                return
            with self.services.db.read() as session:
                found = leftovers.strangers(session, self._connector.id, self.row.id, rows)
            yield Step(self._after("strangers", max(map(number_of, rows))), found)

    def _with_field(self, alias: str, after: int) -> list[dict[str, Any]]:
        params = {
            "where[0][col]": alias,
            "where[0][expr]": "isNotNull",
            "where[1][col]": "id",
            "where[1][expr]": "gt",
            "where[1][val]": after,
            "orderBy": "id",
            "orderByDir": "asc",
            "limit": AT_ONCE,
            "minimal": 1,
        }
        rows = entries(self._mautic.get("contacts", params), "contacts")
        # A Mautic that did not heed the condition would give the same page for ever.
        return [row for row in rows if number_of(row) > after]


def _filled(pages: Iterator[reading.Page]) -> Iterator[reading.Page]:
    """Leave out the empty page that a list at its end gives: a short slice would stop after it again and again.

    Raises Rejected for a list that is shorter than the store's own total: people would be taken for gone.
    """
    for page in pages:
        short = next((error for _, error in page.failed if error.code == SHORT_LIST), None)
        if short is not None:
            raise short
        if page.rows or page.failed:
            yield page
