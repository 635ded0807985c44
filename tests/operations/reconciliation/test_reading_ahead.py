"""What is read of the next pages before their turn, and that nothing ends otherwise for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest

from integration.errors import Unreachable
from integration.identity import person_key_of
from integration.models import Connector, LedgerEntry
from integration.operations.reconciliation import walk
from integration.operations.reconciliation.findings import Step
from integration.operations.reconciliation.people import Gathering
from integration.operations.reconciliation.reading_ahead import PAGES, TO_STORE, Begun, Fine, ReadingAhead
from integration.pipeline.leases.endings import Stopped
from integration.store import reading
from integration.store.client import StoreClient
from tests.operations.reconciliation.conftest import Bench
from tests.operations.reconciliation.happenings import of_ada
from tests.operations.reconciliation.people import BOB, CYD, GUEST, named


@pytest.fixture
def pages_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every page have one person."""
    monkeypatch.setattr(walk, "AT_ONCE", 1)
    monkeypatch.setattr(reading, "read_customers", partial(reading.read_customers, per_page=1))


@pytest.fixture
def ahead(bench: Bench) -> Iterator[ReadingAhead]:
    services = bench.road.services
    with services.db.read() as session:
        connector = session.get_one(Connector, bench.road.connector_id)
    made = ReadingAhead(services, connector, services.open_store(connector), services.open_mautic(connector))
    yield made
    made.close()


def begun() -> Begun:
    return Begun({}, {}, {}, Future(), Future())


@pytest.mark.usefixtures("pages_of_one")
def test_whoever_has_changed_is_found_on_every_page(known: Bench, compared: set[str]) -> None:
    for email in (BOB, GUEST):
        known.change(email, city="Rome")
    compared.clear()
    row = known.reconcile()
    assert named(compared) == {BOB, GUEST}
    assert (row.pulled, row.skipped, row.differs) == (4, 2, 2)
    assert named({each.person_key for each in known.drift()}) == {BOB, GUEST}


@pytest.mark.usefixtures("pages_of_one")
def test_the_store_gets_no_more_requests_at_once_than_it_may(known: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    going, most, lock = [0], [0], threading.Lock()
    request = StoreClient.request

    def counted(self: StoreClient, *said: Any) -> Any:
        with lock:
            going[0] += 1
            most[0] = max(most[0], going[0])
        time.sleep(0.05)
        try:
            return request(self, *said)
        finally:
            with lock:
                going[0] -= 1

    known.change(CYD, city="Rome")
    monkeypatch.setattr(StoreClient, "request", counted)
    assert known.reconcile().differs == 1
    assert most[0] == TO_STORE


def another_buyer(bench: Bench, person_key: str) -> None:
    with bench.road.services.db.write() as session:
        entry = session.get_one(LedgerEntry, (bench.road.connector_id, of_ada(bench)))
        columns = {each.key: getattr(entry, each.key) for each in LedgerEntry.__table__.columns}
        session.merge(LedgerEntry(**columns | {"order_id": 9999, "person_key": person_key}))


@pytest.mark.usefixtures("pages_of_one")
@pytest.mark.parametrize("late", ["f" * 32, f"{person_key_of(GUEST)[:-1]}0"])
def test_who_comes_into_the_ledger_behind_what_was_read_ahead_is_gathered(
    known: Bench, monkeypatch: pytest.MonkeyPatch, late: str
) -> None:
    gathered: list[str] = []
    of_page, buyers = walk.Walk._of_buyers, Gathering.buyers

    def noted(self: walk.Walk, last: str, fine: Fine) -> Step:
        another_buyer(known, late)
        return of_page(self, last, fine)

    monkeypatch.setattr(walk.Walk, "_of_buyers", noted)
    monkeypatch.setattr(Gathering, "buyers", lambda self, keys: gathered.extend(keys) or buyers(self, keys))
    assert known.reconcile().pulled == 4
    assert late in gathered


def test_pages_are_begun_before_their_turn_and_not_more_of_them(
    ahead: ReadingAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Mapping[str, Any]] = []
    monkeypatch.setattr(ahead, "begin", lambda people: started.append(people) or begun())
    pages = ahead.each(iter(range(9)), lambda page: {str(page): ()})
    assert next(pages)[0] == 0
    assert len(started) == PAGES + 1
    assert [page for page, _ in pages] == list(range(1, 9))


def failing(error: Exception) -> Iterator[int]:
    yield from range(4)
    raise error


def test_a_list_that_fails_does_so_behind_the_pages_that_it_gave(
    ahead: ReadingAhead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "begin", lambda people: begun())
    seen: list[int] = []
    with pytest.raises(Unreachable):
        seen.extend(page for page, _ in ahead.each(failing(Unreachable("store", "cut", "")), lambda page: {}))
    assert seen == [0, 1, 2, 3]


def test_who_is_to_stop_stops_at_once(ahead: ReadingAhead, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "begin", lambda people: begun())
    seen: list[int] = []
    with pytest.raises(Stopped):
        seen.extend(page for page, _ in ahead.each(failing(Stopped()), lambda page: {}))
    assert seen == [0, 1]


def test_a_contact_list_that_fails_ends_the_slice_with_its_error(known: Bench) -> None:
    known.road.mautic.faults.add("status", value=500, path=".*/contacts")
    row = known.reconcile()
    assert row.error.startswith("It waits and tries again: ")
    assert row.pulled == 0


def test_no_call_begins_when_all_is_over(known: Bench, ahead: ReadingAhead) -> None:
    ahead.close()
    before = known.road.store.calls.total
    with pytest.raises(Stopped):
        list(reading.read_customers(ahead.store))
    assert known.road.store.calls.total == before
