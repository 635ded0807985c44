"""Gathers what the store has of some people: profile, every order and what is beside them, as a full sync reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from integration import streams
from integration.events import Change, Origin
from integration.models.connector import Connector
from integration.models.ledger import LedgerEntry
from integration.models.membership import among
from integration.operations.reconciliation.further_records import FurtherRecords
from integration.pipeline.delivery.groups import DeliveryGroup, of_change
from integration.pipeline.ingest import account_addresses, order_ledger, records
from integration.pipeline.services import Services
from integration.settings import Modules
from integration.store import parse, reading
from integration.store.client import StoreClient

#: Of a person with more orders the newest are read; the sums come from the ledger, which has all.
ORDERS_MAX = 300
#: The run that a gathered record belongs to: none; the batch context is told to plan it even if nothing has changed.
NO_RUN = 0
_ORDERS = (
    select(LedgerEntry.person_key, LedgerEntry.order_id)
    .where(
        LedgerEntry.connector_id == bindparam("connector_id"),
        among(LedgerEntry.person_key, bindparam("person_keys")),
        # Of orders that a program sent the store knows nothing.
        LedgerEntry.order_id > 0,
        LedgerEntry.status != order_ledger.GONE,
    )
    .order_by(LedgerEntry.order_id)
)

Row = Mapping[str, Any]


@dataclass
class Person:
    """One person as the store has them now; `changes` are the profile, the orders by id, then what is beside them.

    `sure` is False when the store could not give one of the orders. `rows` are profile and orders as the store gave
    them, `known` the orders that the ledger had of the person before.
    """

    person_key: str
    changes: list[Change] = field(default_factory=list)
    sure: bool = True
    rows: list[Row] = field(default_factory=list)
    known: Collection[int] = ()

    @property
    def group(self) -> DeliveryGroup:
        """Return the records as a group, ready to be planned."""
        deliveries = [of_change(number, change, NO_RUN) for number, change in enumerate(self.changes, 1)]
        return DeliveryGroup(self.person_key, tuple(deliveries))

    @property
    def modified_at(self) -> datetime | None:
        """Return when the newest of the records changed, None where the store does not tell."""
        return max((change.modified_at for change in self.changes if change.modified_at), default=None)

    @property
    def orders(self) -> list[Change]:
        """Return the orders, the oldest first."""
        return [change for change in self.changes if streams.of(change.kind).in_ledger]

    @property
    def is_whole(self) -> bool:
        """Return whether the store has all orders that the ledger had of the person, and has them of this person."""
        return self.sure and {int(each.source_id) for each in self.orders} == set(self.known)

    @property
    def further(self) -> list[Change]:
        """Return what is beside profile and orders."""
        own = (streams.of(change.kind) for change in self.changes)
        return [each for each, kind in zip(self.changes, own, strict=True) if not (kind.in_ledger or kind.is_account)]

    @property
    def source(self) -> Change:
        """Return the record the person is shown by: the profile, else the newest order."""
        first = self.changes[0]
        return self.orders[-1] if streams.of(first.kind).in_ledger else first


@dataclass
class Gathering:
    """Reads people of one connector; what it reads of orders is noted in the ledger, as an import would do."""

    services: Services
    connector: Connector
    client: StoreClient
    origin: Origin = Origin.FULL

    @property
    def modules(self) -> Modules:
        """Return the connector's settings."""
        return self.services.modules(self.connector)

    def customers(self, rows: Sequence[Row], *, with_orders: bool = True) -> list[Person]:
        """Return the people of some customers with their orders; `rows` are full customers of the store.

        Without orders, where the store refuses them, those who have any are not sure.
        """
        now = self.services.clock.now()
        people: dict[str, Person] = {}
        for person_key, theirs in accounts(rows).items():
            changes = [parse.customer_change(row, self.origin, now, created=False) for row in theirs]
            people[person_key] = Person(person_key, changes, rows=theirs)
        return self._with_further(self._with_orders(people) if with_orders else self._without_orders(people))

    def buyers(self, person_keys: Iterable[str]) -> list[Person]:
        """Return the people that the ledger knows by these keys; who has no order left is not among them."""
        return self._with_further(self._with_orders({person_key: Person(person_key) for person_key in person_keys}))

    def _with_further(self, people: list[Person]) -> list[Person]:
        by_key = {person.person_key: person for person in people if person.changes}
        further = FurtherRecords(self.services, self.connector, self.client, self.origin)
        for change in further.of(by_key) if by_key else ():
            if change.person_key in by_key:
                by_key[change.person_key].changes.append(change)
        return people

    def _without_orders(self, people: dict[str, Person]) -> list[Person]:
        with self.services.db.read() as session:
            for person_key in order_ids(session, self.connector.id, people):
                people[person_key].sure = False
        return list(people.values())

    def _with_orders(self, people: dict[str, Person]) -> list[Person]:
        with self.services.db.read() as session:
            wanted = order_ids(session, self.connector.id, people)
        rows, unsure = read_orders(self.client, wanted)
        changes = self._noted(rows, {n for ids in wanted.values() for n in ids} - set(rows) - unsure)
        for change in sorted(changes, key=lambda each: int(each.source_id)):
            if change.person_key in people:
                people[change.person_key].changes.append(change)
                people[change.person_key].rows.append(rows[int(change.source_id)])
        for person_key, ids in wanted.items():
            people[person_key].known, people[person_key].sure = ids, unsure.isdisjoint(ids)
        return [person for person in people.values() if person.changes or not person.sure]

    def _noted(self, rows: Mapping[int, Row], gone: Iterable[int]) -> list[Change]:
        """Note the orders in the ledger, those that are gone as gone, and return their changes."""
        now = self.services.clock.now()
        changes = [parse.order_change(row, self.origin, now) for row in rows.values()]
        note(self.services, self.connector.id, list(rows.values()), gone)
        with self.services.db.read() as session:
            return account_addresses.with_current_keys(session, self.connector.id, changes)


def note(services: Services, connector_id: int, rows: Sequence[Row], gone: Iterable[int] = ()) -> None:
    """Write orders into the ledger, so that lifetime values are summed from what the store has now."""
    orders = records.readable(rows)
    lost = sorted(gone)
    if not orders and not lost:
        return
    now = services.clock.now()
    with services.db.write() as session:
        records.note(session, now, connector_id, orders, Origin.BULK)
        for number in lost:
            order_ledger.remove(session, connector_id, number, None)


def accounts(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return person key -> customers of a page; those without an id or an address are left out."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        person_key = parse.customer_key(row) if _has_id(row) else ""
        if person_key:
            found.setdefault(person_key, []).append(row)
    return found


def read_orders(client: StoreClient, wanted: Mapping[str, Sequence[int]]) -> tuple[dict[int, Row], set[int]]:
    """Return order id -> order of some people, and the ids that the store failed to give."""
    ids = sorted({number for theirs in wanted.values() for number in theirs})
    rows: dict[int, Row] = {}
    unsure: set[int] = set()
    for start in range(0, len(ids), 100):
        part = ids[start : start + 100]
        for page in reading.read_orders(client, statuses=(), ids=part):
            rows |= {row["id"]: row for row in page.rows}
            if page.failed:
                unsure |= set(part)
    return rows, unsure - set(rows)


def _has_id(row: Row) -> bool:
    number = row.get("id")
    return isinstance(number, int) and not isinstance(number, bool) and number > 0


def order_ids(session: Session, connector_id: int, person_keys: Iterable[str]) -> dict[str, list[int]]:
    """Return person key -> ids of the orders that the ledger has, the newest of very many."""
    values = {"connector_id": connector_id, "person_keys": sorted(person_keys)}
    found: dict[str, list[int]] = {}
    for person_key, number in session.execute(_ORDERS, values).tuples():
        found.setdefault(person_key, []).append(number)
    return {person_key: ids[-ORDERS_MAX:] for person_key, ids in found.items()}
