"""Reads of the next pages' people what store and Mautic show, while one page is compared, and knows people again by it.

Only what agrees with a stamp counts for anything: whoever has none, or another one now, is read anew when it is their
turn, as if nothing had been read ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from integration.errors import ServiceError
from integration.events import Change, Origin
from integration.mautic import reading as contacts
from integration.mautic.client import MauticClient
from integration.models.connector import Connector
from integration.operations.reconciliation import agreed
from integration.operations.reconciliation.comparison import busy_now
from integration.operations.reconciliation.further_records import FurtherRecords
from integration.operations.reconciliation.people import Row, order_ids, read_orders
from integration.pipeline.ingest import blocked, cart_orders
from integration.pipeline.leases.endings import Stopped
from integration.pipeline.services import Services
from integration.store import parse
from integration.store.client import StoreClient
from integration.store.prefetch import waited_for

#: Pages that are begun before their turn.
PAGES = 2
#: Requests to the store at once, whoever asks.
TO_STORE = 2

T = TypeVar("T")
Orders = tuple[dict[int, Row], set[int]]
Contacts = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Begun:
    """The people of a page who have a stamp, and what is read of them.

    By person: stamps, profiles, ids of orders, and the only contact with the address.
    """

    stamps: Mapping[str, str]
    accounts: Mapping[str, Sequence[Row]]
    ids: Mapping[str, Sequence[int]]
    orders: Future[Orders]
    contacts: Future[Contacts]


class ReadingAhead:
    """What one slice of a reconciliation reads of people; `close` ends all of it."""

    def __init__(self, services: Services, connector: Connector, store: StoreClient, mautic: MauticClient) -> None:
        self.services, self.connector, self.store, self.mautic = services, connector, store, mautic
        self.pool = ThreadPoolExecutor(TO_STORE, thread_name_prefix="reconciliation-store")
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="reconciliation-mautic")

    def close(self) -> None:
        """Let no call begin any more; what is under way is not waited for."""
        self.store.heed = self.mautic.heed = _stopped
        for pool in (self.pool, self._beside):
            pool.shutdown(wait=False, cancel_futures=True)

    def at_store(self, act: Callable[[], T]) -> T:
        """Do something that reads the store, in the line of all that does; raises what that raises."""
        return waited_for(self.pool.submit(act), self.store.heed)

    def each(
        self, pages: Iterable[T], people_of: Callable[[T], Mapping[str, Sequence[Row]]]
    ) -> Iterator[tuple[T, Begun]]:
        """Yield each page with what was begun of its people before its turn.

        An error of the list itself is raised when all pages before it have been.
        """
        begun: deque[tuple[T, Begun]] = deque()
        failure: ServiceError | None = None
        try:
            for page in pages:
                begun.append((page, self.begin(people_of(page))))
                if len(begun) > PAGES:
                    yield begun.popleft()
        except ServiceError as error:
            failure = error
        yield from begun
        if failure is not None:
            raise failure

    def begin(self, people: Mapping[str, Sequence[Row]]) -> Begun:
        """Begin to read whoever has a stamp among some people, each with their profiles."""
        with self.services.db.read() as session:
            stamps = agreed.known(session, self.connector.id, people)
            ids = order_ids(session, self.connector.id, stamps)
        accounts = {person_key: people[person_key] for person_key in stamps}
        orders = self.pool.submit(read_orders, self.store, ids)
        return Begun(stamps, accounts, ids, orders, self._beside.submit(self._contacts, accounts, ids, orders))

    def _contacts(
        self, accounts: Mapping[str, Sequence[Row]], ids: Mapping[str, Sequence[int]], orders: Future[Orders]
    ) -> Contacts:
        addresses: dict[str, str] = {}
        for person_key, rows in accounts.items():
            # The orders are waited for only where nothing else tells the address.
            emails = map(parse.customer_email, rows) if rows else _emails(ids.get(person_key, ()), orders.result()[0])
            addresses[person_key] = agreed.address_of(person_key, emails)
        found = contacts.by_emails(self.mautic, addresses.values())
        held = {person_key: agreed.only(found, address) for person_key, address in addresses.items()}
        return {person_key: contact for person_key, contact in held.items() if contact is not None}

    # -- whose turn it is ---------------------------------------------------------------------------------------------

    def fine(self, begun: Begun) -> set[str]:
        """Return of whom nothing differs, as nothing did before; raises ServiceError where something is not read."""
        if not begun.stamps:
            return set()
        rows, unsure = waited_for(begun.orders, self.store.heed)
        held = waited_for(begun.contacts, self.mautic.heed)
        further = self._further(begun.stamps)
        with self.services.db.read() as session:
            stored = agreed.stored(session, self.connector, begun.stamps)
            away = self._away(session, begun)
        return {
            person_key
            for person_key in held.keys() - away
            if unsure.isdisjoint(begun.ids.get(person_key, ()))
            and begun.stamps[person_key] == self._stamp(begun, person_key, stored, rows, further, held)
        }

    def _stamp(
        self,
        begun: Begun,
        person_key: str,
        stored: Mapping[str, str],
        orders: Mapping[int, Row],
        further: Mapping[str, Sequence[Change]],
        held: Contacts,
    ) -> str:
        own = [orders[number] for number in begun.ids.get(person_key, ()) if number in orders]
        rows = [*begun.accounts[person_key], *own]
        return agreed.stamp(stored[person_key], rows, further.get(person_key, ()), held[person_key])

    def _further(self, people: Mapping[str, str]) -> Mapping[str, Sequence[Change]]:
        records = FurtherRecords(self.services, self.connector, self.store, Origin.FULL)
        read = partial(records.of, people.keys())
        found: dict[str, list[Change]] = {}
        for change in self.at_store(read) if records.reads_store else read():
            found.setdefault(change.person_key, []).append(change)
        return found

    def _away(self, session: Session, begun: Begun) -> set[str]:
        """Return who is to be looked at whatever their stamp says: something is under way, or follows their orders."""
        people, numbers = begun.stamps.keys(), {number for ids in begun.ids.values() for number in ids}
        buyers, orders = cart_orders.concerned(session, self.connector.id, people, numbers)
        owners = {person_key for person_key, ids in begun.ids.items() if not orders.isdisjoint(ids)}
        busy = busy_now(session, self.connector.id, sorted(people))
        return buyers | owners | busy | blocked.among(session, self.connector.id, people)


def _emails(ids: Iterable[int], orders: Mapping[int, Row]) -> Iterator[str]:
    return (parse.billing_email(orders[number]) for number in ids if number in orders)


def _stopped() -> None:
    raise Stopped
