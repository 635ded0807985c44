"""Goes through the store, our own records and Mautic, page by page, each page one transaction with its cursor.

First the ledger is brought up to date from a cheap list of orders, then customers and those who only ordered are
compared with their orders, then what is left of our links, and of contacts with our fields, is what the store has no
more. Nobody is kept in memory but the people of one page.

A list that the store refuses keeps the other from being compared no more than it does in a run; but who is gone, or
what the unread record would say, is then not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from integration.errors import Rejected, ServerFault, ServiceError
from integration.events import Origin
from integration.mautic import reading as contacts
from integration.mautic.client import MauticClient
from integration.models.drift import Reconciliation
from integration.operations.reconciliation import findings as found_rows, former_buyers, leftovers, strangers
from integration.operations.reconciliation.comparison import Comparison
from integration.operations.reconciliation.findings import Finding, Step
from integration.operations.reconciliation.people import Gathering, Person
from integration.pipeline import usage
from integration.pipeline.connectors import field_list, store_profile
from integration.pipeline.ingest import listed_orders
from integration.pipeline.runs import lifecycle as run_lifecycle, refusals
from integration.pipeline.runs.held_run import HeldRun
from integration.pipeline.runs.refusals import PART_TRIES_MAX, REFUSED
from integration.store import reading
from integration.store.client import StoreClient
from integration.store.completeness import SHORT_LIST
from integration.words import counted

#: People that are compared at once.
AT_ONCE = 100
#: Links looked at in one call.
LINKS_AT_ONCE = 200
PHASES = ("ledger", "customers", "buyers", "links", "strangers")
DONE = "done"
_FOLLOWING = dict(zip(PHASES, (*PHASES[1:], DONE), strict=True))
#: Phase -> what is said of it in the log when it has ended.
_DONE = {
    "ledger": "The list of orders was read.",
    "customers": "All customers were compared.",
    "buyers": "All people who ordered without an account were compared.",
    "links": "Contacts whose person the store no longer has were looked for.",
    "strangers": "Other contacts with our fields were looked for.",
}
#: What is said instead where customers could not be read.
_ORDERS_ONLY = {
    "buyers": "All people who ordered were compared by their orders; customers without an order were not.",
    "links": "Contacts whose orders are all gone were compared; nobody is called gone who may be a customer.",
}
#: Phase -> the lists without which it tells nothing true, and what is said instead.
_NEEDS = {
    "buyers": ({"ledger"}, "People who ordered were not compared."),
    "links": ({"ledger"}, "Contacts whose person the store no longer has were not looked for."),
    "strangers": ({"ledger", "customers"}, "Other contacts with our fields were not looked for."),
}


@dataclass
class Walk(HeldRun):
    """One slice of a leased reconciliation; `slice_over` says after each page whether it is over."""

    slice_over: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        """Open both systems; no call is made yet."""
        self._store: StoreClient = self.services.open_store(self.connector, self.run.correlation_id, obeys=True)
        self._mautic: MauticClient = self.services.open_mautic(self.connector, self.run.correlation_id, obeys=True)
        self._store.heed = self._mautic.heed = self._heed
        self._counted = (0, 0)

    @property
    def uncounted(self) -> tuple[int, int]:
        """Return the calls to Mautic and to the store that no written page has counted."""
        return self._mautic.calls - self._counted[0], self._store.calls - self._counted[1]

    def go(self) -> bool:
        """Go on from the cursor; True when all is done. Raises ServiceError, Stopped, Lost and Cancelled."""
        self._prepare()
        self._phase = self.run.phase or PHASES[0]
        while self._phase != DONE:
            needed, said = _NEEDS.get(self._phase, (set(), ""))
            if needed & self._refused.keys():
                self._pass_over(said)
                continue
            for step in getattr(self, f"_{self._phase}")():
                self._write(step)
                if self.slice_over() or self.stop.is_set():
                    return False
            if self._phase in self._refused:
                self._pass_over(refusals.told({self._phase: self._refused[self._phase]}))
            else:
                self._write(Step(_FOLLOWING[self._phase]), closes=self._phase)
                self._phase = self.run.phase
        return True

    def _pass_over(self, sentence: str) -> None:
        """Go on without a phase. Failed tries are still counted: nothing was read."""
        self._move(_FOLLOWING[self._phase], sentence)

    def _move(self, phase: str, sentence: str) -> None:
        with self.services.db.write() as session:
            row = self._held(session)
            row.phase, row.cursor = phase, {REFUSED: self._refused}
            run_lifecycle.add_line(session, self._now(), row.id, sentence, "warning")
        self._phase = self.run.phase = phase
        self.run.cursor = row.cursor

    def _prepare(self) -> None:
        self.connector = field_list.recent(self.services, self.connector, self._mautic)
        self._refused: dict[str, str] = dict(self.run.cursor.get(REFUSED) or {})
        self._gathering = Gathering(self.services, self.connector, self._store)
        self._comparison = Comparison(self.services, self.connector, self._mautic)

    @property
    def _place(self) -> Any:
        return self.run.cursor.get("place")

    def _write(self, step: Step, closes: str = "") -> None:
        """Write what a page gave and what it cost; `closes` names the phase that has ended with it."""
        now = self._now()
        to_mautic, to_store = self.uncounted
        with self.services.db.write() as session:
            row = self._held(session)
            assert isinstance(row, Reconciliation)
            new = found_rows.note(session, now, row, step)
            row.cursor = {**row.cursor, REFUSED: self._refused}
            row.calls, row.store_calls = row.calls + to_mautic, row.store_calls + to_store
            usage.record(session, row.connector_id, now, mautic_calls=to_mautic, store_calls=to_store)
            text = f"{self._done(closes)} People looked at so far: {row.pulled:,}." if closes else _said(step, new)
            if text:
                run_lifecycle.add_line(session, now, row.id, text)
        self._counted = self._counted[0] + to_mautic, self._counted[1] + to_store
        self.run.phase, self.run.cursor, self.run.tries = row.phase, row.cursor, row.tries

    def _done(self, phase: str) -> str:
        return _ORDERS_ONLY.get(phase, _DONE[phase]) if self._refused else _DONE[phase]

    def _listed(self, pages: Iterator[reading.Page]) -> Iterator[reading.Page]:
        """Yield the pages of the phase's list; one that the store refuses, but not the other, is noted and has none."""
        try:
            yield from _filled(pages)
        except refusals.ERRORS as error:
            if self._place is not None or refusals.concerns_all(error):
                raise
            self._refuse(error)

    def _refuse(self, error: ServiceError) -> None:
        """Note that the phase's list is refused; raises the error where it is to be tried again, or both lists are."""
        if self._refused:
            self._refused = {}
            self._move(PHASES[0], "The store gives neither orders nor customers.")
            raise error
        again = refusals.passes(error) and self.run.tries + 1 < PART_TRIES_MAX
        if not again or self._phase != PHASES[0]:
            # Another list was read, or is to be.
            refusals.go_on_after(self.services, self.connector.id, error)
        if again:
            raise error
        self._refused[self._phase] = str(error)

    # -- the store ----------------------------------------------------------------------------------------------------

    def _ledger(self) -> Iterator[Step]:
        pages = reading.read_orders(
            self._store,
            statuses=store_profile.statuses(self.connector),
            fields=reading.LEDGER_FIELDS,
            start=self._place,
        )
        for page in self._listed(pages):
            with self.services.db.write() as session:
                listed_orders.note(session, self._now(), self.connector.id, page.rows, Origin.BULK)
            yield Step("ledger", page.cursor)

    def _customers(self) -> Iterator[Step]:
        for page in self._listed(reading.read_customers(self._store, start=self._place)):
            people = self._gathering.customers(page.rows, with_orders="ledger" not in self._refused)
            with self.services.db.read() as session:
                # After a list that came short the customers are read from the first one again.
                known = found_rows.met(session, self.run.id, [person.person_key for person in people])
            fresh = [person for person in people if person.person_key not in known]
            yield self._compared(fresh, "customers", page.cursor)

    def _buyers(self) -> Iterator[Step]:
        while True:
            with self.services.db.read() as session:
                place = str(self._place or "")
                person_keys = leftovers.buyers(session, self.connector.id, place, AT_ONCE)
                known = found_rows.met(session, self.run.id, person_keys)
            if not person_keys:
                return
            people = self._gathering.buyers(person_key for person_key in person_keys if person_key not in known)
            yield self._compared(people, "buyers", person_keys[-1])

    def _compared(self, people: list[Person], phase: str, place: Any) -> Step:
        findings, checked = self._comparison.compare(people, with_profiles="customers" not in self._refused)
        return Step(phase, place, findings, [person.person_key for person in people], checked)

    # -- what the store has no more -----------------------------------------------------------------------------------

    def _links(self) -> Iterator[Step]:
        while True:
            with self.services.db.read() as session:
                place = str(self._place or "")
                links = leftovers.links(session, self.connector.id, place, LINKS_AT_ONCE)
                person_keys = [link.person_key for link in links]
                known = found_rows.met(session, self.run.id, person_keys)
                known |= leftovers.sent_here(session, self.connector.id, person_keys)
            if not links:
                return
            left = [link for link in links if link.person_key not in known]
            held = contacts.by_ids(self._mautic, [link.contact_id for link in left])
            found = self._left_over([link for link in left if link.contact_id in held], held)
            yield Step("links", links[-1].person_key, found, checked=len(left))

    def _left_over(self, links: list[leftovers.Link], held: Mapping[int, Any]) -> list[Finding]:
        """Return what contacts of people whom the store has no more still say of orders, the rest as surplus."""
        person_keys = [link.person_key for link in links]
        with self.services.db.read() as session:
            people = former_buyers.people(session, self._now(), self.connector.id, person_keys)
        differing = self._comparison.former(people, held)
        told = {finding.person_key for finding in differing}
        if self._refused:
            # Whoever was not met may be a customer.
            return differing
        return [*differing, *(leftovers.linked(link) for link in links if link.person_key not in told)]

    def _strangers(self) -> Iterator[Step]:
        """Contacts with our order count that no link leads to; a Mautic that cannot search so is left in peace."""
        alias = strangers.alias_of(self.connector, self.services.modules(self.connector).naming.name_space)
        if alias is None:
            return
        while True:
            with self.services.db.read() as session:
                stretch = strangers.stretch(session, self.connector.id, int(self._place or 0))
            try:
                rows = strangers.read(self._mautic, alias, stretch)
            except (Rejected, ServerFault):
                return
            if not rows and stretch.is_last:
                return
            with self.services.db.read() as session:
                found = leftovers.strangers(session, self.connector.id, self.run.id, rows)
            yield Step("strangers", stretch.place(rows), found, checked=len(found))


def _said(step: Step, new: int) -> str:
    """Return the line of a page on which people were looked at, "" for any other."""
    people = counted(step.checked, "person", "people")
    differences = counted(new, "difference") if new else "nothing differs"
    return f"Looked at {people}: {differences}." if step.checked else ""


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
