"""Goes through the store, our own records and Mautic, page by page, each page one transaction with its cursor.

First the ledger is brought up to date from a cheap list of orders, then customers and those who only ordered are
compared with their orders, then what is left of our links, and of contacts with our fields, is what the store has no
more. Nobody is kept in memory but the people of one page, and of those that are read ahead (reading_ahead.py).

A list that the store refuses keeps the other from being compared no more than it does in a run; but who is gone, or
what the unread record would say, is then not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from integration.errors import Rejected, ServerFault, ServiceError
from integration.events import Origin
from integration.mautic import reading as contacts
from integration.mautic.client import MauticClient
from integration.models.drift import Reconciliation
from integration.operations.reconciliation import findings as found_rows, former_buyers, leftovers, phases, strangers
from integration.operations.reconciliation.comparison import Comparison
from integration.operations.reconciliation.findings import Finding, Step
from integration.operations.reconciliation.people import Gathering, Person, Row, accounts
from integration.operations.reconciliation.reading_ahead import Fine, ReadingAhead
from integration.pipeline import usage
from integration.pipeline.connectors import field_list, store_profile
from integration.pipeline.ingest import listed_orders
from integration.pipeline.runs import lifecycle as run_lifecycle, refusals
from integration.pipeline.runs.held_run import HeldRun
from integration.pipeline.runs.refusals import PART_TRIES_MAX, REFUSED
from integration.store import reading
from integration.store.client import StoreClient
from integration.store.completeness import SHORT_LIST

T = TypeVar("T")
#: People that are compared at once.
AT_ONCE = 100
#: Links looked at in one call.
LINKS_AT_ONCE = 200


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
        self._phase = self.run.phase or phases.PHASES[0]
        try:
            return self._go()
        finally:
            self._ahead.close()

    def _go(self) -> bool:
        while self._phase != phases.DONE:
            needed, said = phases.NEEDS.get(self._phase, (set(), ""))
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
                self._write(Step(phases.FOLLOWING[self._phase]), closes=self._phase)
                self._phase = self.run.phase
        return True

    def _pass_over(self, sentence: str) -> None:
        """Go on without a phase. Failed tries are still counted: nothing was read."""
        self._move(phases.FOLLOWING[self._phase], sentence)

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
        self._ahead = ReadingAhead(self.services, self.connector, self._store, self._mautic)
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
            text = phases.page_said(step, new)
            if closes:
                text = f"{phases.ended(closes, refused=bool(self._refused))} People looked at so far: {row.pulled:,}."
            if text:
                run_lifecycle.add_line(session, now, row.id, text)
        self._counted = self._counted[0] + to_mautic, self._counted[1] + to_store
        self.run.phase, self.run.cursor, self.run.tries = row.phase, row.cursor, row.tries

    def _listed(self, pages: Iterator[T]) -> Iterator[T]:
        """Yield the pages of the phase's list; one that the store refuses, but not the other, is noted and has none."""
        try:
            yield from pages
        except refusals.ERRORS as error:
            if self._place is not None or refusals.concerns_all(error):
                raise
            self._refuse(error)

    def _refuse(self, error: ServiceError) -> None:
        """Note that the phase's list is refused; raises the error where it is to be tried again, or both lists are."""
        if self._refused:
            self._refused = {}
            self._move(phases.PHASES[0], "The store gives neither orders nor customers.")
            raise error
        again = refusals.passes(error) and self.run.tries + 1 < PART_TRIES_MAX
        if not again or self._phase != phases.PHASES[0]:
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
        for page in self._listed(_filled(pages)):
            with self.services.db.write() as session:
                listed_orders.note(session, self._now(), self.connector.id, page.rows, Origin.BULK)
            yield Step("ledger", page.cursor)

    def _customers(self) -> Iterator[Step]:
        pages = _filled(reading.read_customers(self._store, start=self._place, pool=self._ahead.pool))
        for page, begun in self._listed(self._ahead.each(pages, self._accounts)):
            fine = self._ahead.fine(begun)
            rows = [row for key, theirs in accounts(page.rows).items() if key not in fine.people for row in theirs]
            gather = partial(self._gathering.customers, rows, with_orders="ledger" not in self._refused)
            people = self._ahead.at_store(gather) if rows else []
            # After a list that came short the customers are read from the first one again.
            known = self._met([*fine.people, *(person.person_key for person in people)])
            fresh = [person for person in people if person.person_key not in known]
            yield self._compared(fresh, fine.without(known), "customers", page.cursor)

    def _accounts(self, page: reading.Page) -> Mapping[str, Sequence[Row]]:
        # Where a list is refused nobody is known again: a verdict says less then.
        return {} if self._refused else accounts(page.rows)

    def _buyers(self) -> Iterator[Step]:
        began = object()
        # What is noted of a page may bring others behind the last one that was read ahead.
        while began != self._place:
            began = self._place
            for last, begun in self._ahead.each(self._buyer_pages(), self._guests):
                yield self._of_buyers(last[-1], self._ahead.fine(begun))

    def _of_buyers(self, last: str, fine: Fine) -> Step:
        with self.services.db.read() as session:
            person_keys = leftovers.buyers(session, self.connector.id, str(self._place or ""), None, until=last)
        known = self._met(person_keys)
        others = [person_key for person_key in person_keys if person_key not in known | fine.people]
        people = self._ahead.at_store(partial(self._gathering.buyers, others)) if others else []
        return self._compared(people, fine.without(known), "buyers", last)

    def _buyer_pages(self) -> Iterator[Sequence[str]]:
        last = str(self._place or "")
        while True:
            with self.services.db.read() as session:
                person_keys = leftovers.buyers(session, self.connector.id, last, AT_ONCE)
            if not person_keys:
                return
            yield person_keys
            last = person_keys[-1]

    def _guests(self, person_keys: Sequence[str]) -> Mapping[str, Sequence[Row]]:
        known = set(person_keys) if self._refused else self._met(person_keys)
        return {person_key: () for person_key in person_keys if person_key not in known}

    def _met(self, person_keys: Sequence[str]) -> set[str]:
        with self.services.db.read() as session:
            return found_rows.met(session, self.run.id, person_keys)

    def _compared(self, people: list[Person], fine: Fine, phase: str, place: Any) -> Step:
        """Compare people; of those who are `fine` it is known that nothing differs."""
        found = self._comparison.compare(people, with_profiles="customers" not in self._refused)
        met = [*fine.people, *(person.person_key for person in people)]
        stamps = {} if self._refused else {**found.stamps, **fine.stamps}
        return Step(phase, place, found.findings, met, found.checked + len(fine.people), stamps)

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
