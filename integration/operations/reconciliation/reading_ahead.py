"""Reads of the next pages' people what store and Mautic show, while one page is compared, and knows people again by it.

Only what agrees with a stamp counts for anything: with the person's own, or where nobody has compared the person yet
with those of all of their records (confirmed.py). Whoever is not known so is read anew when it is their turn, as if
nothing had been read ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from integration.digests import row_digest
from integration.errors import ServiceError
from integration.events import Change, Origin
from integration.mautic import reading as contacts
from integration.mautic.client import MauticClient
from integration.models.connector import Connector
from integration.operations.reconciliation import agreed, confirmed
from integration.operations.reconciliation.comparison import busy_now
from integration.operations.reconciliation.confirmed import Link, Records
from integration.operations.reconciliation.further_records import FurtherRecords
from integration.operations.reconciliation.people import Row, order_ids, read_orders
from integration.pipeline.delivery import stamps as record_stamps
from integration.pipeline.ingest import blocked, followed_carts
from integration.pipeline.leases.endings import Stopped
from integration.pipeline.services import Services
from integration.store import parse
from integration.store.client import StoreClient
from integration.store.prefetch import waited_for
from integration.streams import contacts as contacts_stream, orders as orders_stream

#: Pages that are begun before their turn.
PAGES = 2
#: Requests to the store at once, whoever asks.
TO_STORE = 2

T = TypeVar("T")


class Orders(NamedTuple):
    """Order id -> address and digest, and the ids that the store failed to give."""

    emails: Mapping[int, str]
    digests: Mapping[int, str]
    unsure: set[int]


class Shown(NamedTuple):
    """A contact's digest, and whether it has all that the person's link of that moment says was confirmed."""

    digest: str
    has_all: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """The people of a page who have stamps, and what is read of them: until their turn only digests are kept.

    By person: stamps, profiles, ids of orders, the only contact with the address, and the links of those who have no
    stamp themselves, but their records have.
    """

    stamps: Mapping[str, str]
    accounts: Mapping[str, Sequence[Row]]
    ids: Mapping[str, Sequence[int]]
    orders: Future[Orders]
    contacts: Future[Mapping[str, Shown]]
    links: Mapping[str, Link] = field(default_factory=dict)

    def records(self, person_key: str, orders: Orders) -> Records | None:
        """Return the digests of all of a person's records, None where one of them was not read."""
        ids = self.ids.get(person_key, ())
        if not orders.digests.keys() >= set(ids):
            return None
        return {
            contacts_stream.KIND: {str(row["id"]): row_digest(row) for row in self.accounts[person_key]},
            orders_stream.KIND: {str(number): orders.digests[number] for number in ids},
        }


class Fine(NamedTuple):
    """People of whom nothing differs, and the stamps of those who had none."""

    people: Set[str] = frozenset()
    stamps: Mapping[str, str] = MappingProxyType({})

    def without(self, others: Collection[str]) -> Fine:
        """Return it without some people."""
        stamps = {person_key: stamp for person_key, stamp in self.stamps.items() if person_key not in others}
        return Fine(self.people - set(others), stamps)


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
        """Begin to read whoever has stamps among some people, each with their profiles."""
        with self.services.db.read() as session:
            stamps = agreed.known(session, self.connector.id, people)
            others = {person_key: rows for person_key, rows in people.items() if person_key not in stamps}
            ids = order_ids(session, self.connector.id, people)
            links = confirmed.candidates(session, self.connector, others, ids)
        accounts = {person_key: people[person_key] for person_key in (*stamps, *links)}
        ids = {person_key: theirs for person_key, theirs in ids.items() if person_key in accounts}
        orders = self.pool.submit(self._orders, ids)
        shown = self._beside.submit(self._contacts, accounts, ids, orders, links)
        return Begun(stamps, accounts, ids, orders, shown, links)

    def _orders(self, ids: Mapping[str, Sequence[int]]) -> Orders:
        rows, unsure = read_orders(self.store, ids)
        emails = {number: parse.billing_email(row) for number, row in rows.items()}
        return Orders(emails, {number: row_digest(row) for number, row in rows.items()}, unsure)

    def _contacts(
        self,
        accounts: Mapping[str, Sequence[Row]],
        ids: Mapping[str, Sequence[int]],
        orders: Future[Orders],
        links: Mapping[str, Link],
    ) -> Mapping[str, Shown]:
        addresses: dict[str, str] = {}
        for person_key, rows in accounts.items():
            # The orders are waited for only where nothing else tells the address.
            theirs = ids.get(person_key, ())
            emails = map(parse.customer_email, rows) if rows else _those(theirs, orders.result().emails)
            addresses[person_key] = agreed.address_of(person_key, emails)
        found = contacts.by_emails(self.mautic, addresses.values())
        held = {person_key: agreed.only(found, address) for person_key, address in addresses.items()}
        return {
            person_key: _shown(contact, links.get(person_key), addresses[person_key])
            for person_key, contact in held.items()
            if contact is not None
        }

    # -- whose turn it is ---------------------------------------------------------------------------------------------

    def fine(self, begun: Begun) -> Fine:
        """Return of whom nothing differs, as nothing did before; raises ServiceError where something is not read."""
        people = begun.accounts
        if not people:
            return Fine()
        orders = waited_for(begun.orders, self.store.heed)
        shown = waited_for(begun.contacts, self.mautic.heed)
        further = self._further(people)
        with self.services.db.read() as session:
            kept = record_stamps.stored(session, self.connector, sorted(people))
            away = self._away(session, begun)
            sure = {key for key in shown.keys() - away if orders.unsure.isdisjoint(begun.ids.get(key, ()))}
            told = self._confirmed(session, begun, orders, kept, sure - further.keys())
        stored = agreed.digests(self.connector, {key: kept[key] for key in sure})
        now = {
            key: agreed.stamp(rows, _rows(begun, key, orders), further.get(key, ()), shown[key].digest)
            for key, rows in stored.items()
        }
        return _fine(begun, now, {key for key in told if shown[key].has_all})

    def _confirmed(
        self, session: Session, begun: Begun, orders: Orders, kept: Mapping[str, Sequence[str]], sure: Collection[str]
    ) -> set[str]:
        """Return of whom a full sync would send nothing, and whose link is as it was when the contact was read."""
        people = {key: records for key in begun.links.keys() & sure if (records := begun.records(key, orders))}
        if not people:
            return set()
        links = confirmed.links(session, self.connector.id, people)
        told = confirmed.standing(session, self.connector, kept, people)
        return {key for key in told if links.get(key) == begun.links[key]}

    def _further(self, people: Mapping[str, Any]) -> Mapping[str, Sequence[Change]]:
        records = FurtherRecords(self.services, self.connector, self.store, Origin.FULL)
        read = partial(records.of, people.keys())
        found: dict[str, list[Change]] = {}
        for change in self.at_store(read) if records.reads_store else read():
            found.setdefault(change.person_key, []).append(change)
        return found

    def _away(self, session: Session, begun: Begun) -> set[str]:
        """Return who is to be looked at whatever their stamp says: something is under way, or follows their orders."""
        people, numbers = begun.accounts.keys(), {number for ids in begun.ids.values() for number in ids}
        buyers, orders = followed_carts.concerned(session, self.connector.id, people, numbers)
        owners = {person_key for person_key, ids in begun.ids.items() if not orders.isdisjoint(ids)}
        busy = busy_now(session, self.connector.id, sorted(people))
        return buyers | owners | busy | blocked.among(session, self.connector.id, people)


def _fine(begun: Begun, now: Mapping[str, str], told: Collection[str]) -> Fine:
    """Return who has the stamp that they have now, and whoever is told without one; `now` are the stamps by person."""
    same = {person_key for person_key, stamp in now.items() if stamp == begun.stamps.get(person_key)}
    return Fine(same.union(told), {person_key: now[person_key] for person_key in told})


def _shown(contact: Mapping[str, Any], link: Link | None, address: str) -> Shown:
    return Shown(agreed.of_contact(contact), link is not None and confirmed.has_all(contact, link, address))


def _rows(begun: Begun, person_key: str, orders: Orders) -> Iterator[str]:
    yield from map(row_digest, begun.accounts[person_key])
    yield from _those(begun.ids.get(person_key, ()), orders.digests)


def _those(ids: Iterable[int], found: Mapping[int, str]) -> Iterator[str]:
    return (found[number] for number in ids if number in found)


def _stopped() -> None:
    raise Stopped
