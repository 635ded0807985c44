"""A road that has done its first import, and ways to break what it wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, update

from integration.models import Drift, LedgerEntry, Reconciliation, RunKind
from integration.models.person_stamp import PersonStamp
from integration.operations import reconciliation
from integration.operations.reconciliation import findings
from integration.operations.reconciliation.comparison import Comparison
from integration.operations.reconciliation.execution import SLICE_S, ReconciliationExecution
from integration.operations.reconciliation.people import Person
from integration.operations.reconciliation.wanted import Wanted
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.sandbox.mautic.contact import Contact
from tests.operations.reconciliation.people import EVERYBODY, named
from tests.road.conftest import Road, make_road, mautic, store

__all__ = ["make_road", "mautic", "store"]


def tick(services: Services, *, seconds: float = SLICE_S) -> int:
    """Do what the clock does, then one slice of each reconciliation that is due; return how many slices were done."""
    reconciliation.tick(services)
    with services.db.read() as session:
        going = session.scalars(select(Reconciliation.connector_id).where(Reconciliation.ended_at.is_(None))).all()
    return sum(_slice(services, connector_id, seconds) for connector_id in going)


def _slice(services: Services, connector_id: int, seconds: float) -> int:
    token = new_token()
    with services.db.write() as session:
        now = services.clock.now()
        run = run_lifecycle.take(session, now, token, connector_id, [RunKind.RECONCILIATION])
        session.flush()
        session.expunge_all()
    if run is None:
        return 0
    ReconciliationExecution(services, run, token, seconds=seconds).execute()
    return 1


@dataclass
class Bench:
    """The road with its acts of reconciliation."""

    road: Road

    def reconcile(self) -> Reconciliation:
        """Do one reconciliation to its end and return it."""
        number = reconciliation.start(self.road.services, self.road.connector_id, "test")
        for _ in range(20):
            if not tick(self.road.services):
                break
        with self.road.services.db.read() as session:
            return session.get_one(Reconciliation, number)

    def drift(self) -> list[Drift]:
        with self.road.services.db.read() as session:
            newest = session.scalar(select(Reconciliation.id).order_by(Reconciliation.id.desc()).limit(1))
            return list(session.scalars(select(Drift).where(Drift.reconciliation_id == newest).order_by(Drift.id)))

    def found(self) -> dict[str, list[Drift]]:
        kinds: dict[str, list[Drift]] = {}
        for row in self.drift():
            kinds.setdefault(row.kind, []).append(row)
        return kinds

    def repair(self, **which: Any) -> int:
        """Ask for the repair of the newest drift and let the sync deliver it."""
        services, rows = self.road.services, self.drift()
        with services.db.write() as session:
            asked = reconciliation.ask(
                session, services.clock.now(), self.road.connector_id, rows[0].reconciliation_id, **which
            )
        reconciliation.tick(services)
        self.road.work()
        return asked

    def contact(self, email: str) -> Contact:
        found = self.road.mautic.state.contact(email)
        assert found is not None
        return found

    def change(self, whose: str, **values: Any) -> None:
        contact = self.contact(whose)
        self.road.mautic.state.update(contact, {**contact.values, **values})

    def delete(self, email: str) -> None:
        self.road.mautic.state.delete(self.contact(email))

    def double(self, email: str) -> Contact:
        state = self.road.mautic.state
        twin = Contact(state.next_id("contacts"), state.now(), {"email": email})
        state.insert(twin)
        return twin


def counts(row: Reconciliation) -> dict[str, int]:
    """What was found, how often of each kind."""
    return {kind: getattr(row, kind) for kind in findings.KINDS if getattr(row, kind)}


def stamped(bench: Bench) -> set[str]:
    with bench.road.services.db.read() as session:
        return named(set(session.scalars(select(PersonStamp.person_key))))


@pytest.fixture
def bench(make_road: Callable[..., Road]) -> Bench:
    """Three customers, one of them with orders, and a guest with two; all of it in Mautic."""
    road = make_road(orders__general_tags="buyer", orders__create_fields=True)
    shop = road.store.shop
    for number, name in enumerate(("ada", "bob", "cyd")):
        shop.register_customer(
            email=f"{name}@example.com",
            first_name=name.title(),
            billing={"city": "Ulm", "country": "DE", "postcode": f"8907{number}"},
        )
    road.order("ada@example.com", billing={"city": "Bonn", "country": "DE"})
    road.order("guest@example.com", billing={"city": "Cork", "country": "IE"})
    road.order("guest@example.com", status="refunded", billing={"city": "Cork", "country": "IE"})
    road.run()
    return Bench(road)


@pytest.fixture
def known(bench: Bench) -> Bench:
    """Four people who were compared, and of whom nothing differs; live changes have carried their orders' events."""
    with bench.road.services.db.write() as session:
        session.execute(update(LedgerEntry).values(reached_at=None))
    assert bench.reconcile().pulled == 4
    assert stamped(bench) == EVERYBODY
    return bench


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Collects who is compared with Mautic as a whole."""
    found: set[str] = set()
    whole = Comparison._wanted

    def wanted(self: Comparison, people: Sequence[Person]) -> list[Wanted]:
        those = whole(self, people)
        found.update(each.person.person_key for each in those)
        return those

    monkeypatch.setattr(Comparison, "_wanted", wanted)
    yield found
