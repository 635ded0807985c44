"""Of whom it is told by the stamps of their records that nothing differs, of them a whole comparison finds nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from integration.identity import person_key_of
from integration.mautic import reading
from integration.models import Connector, ContactLink, LedgerEntry
from integration.models.person_stamp import PersonStamp
from integration.models.record_stamp import RecordStamp
from integration.operations.reconciliation import confirmed
from integration.operations.reconciliation.reading_ahead import ReadingAhead
from integration.pipeline.connectors import connectors
from integration.pipeline.consents import gate
from integration.sandbox.store.problems import Refused
from tests.operations.reconciliation.conftest import Bench, stamped
from tests.operations.reconciliation.happenings import HAPPENINGS, link
from tests.operations.reconciliation.known_people import fine, hold_against_a_whole_comparison
from tests.operations.reconciliation.people import ADA, BOB, EVERYBODY, GUEST, NOBODY, named

#: What concerns stamps of people alone, which nobody has yet, or what nobody wants of the contact or has any more.
NOT_SEEN = dict.fromkeys(
    (
        "another program",
        "a value in Mautic that is nobody's",
        "do not contact in Mautic",
        "the account of a buyer is deleted",
    ),
    EVERYBODY,
)


@pytest.fixture
def synced(bench: Bench) -> Bench:
    """Four people whose records a full sync has found unchanged, and whom nobody has compared."""
    with bench.road.services.db.write() as session:
        session.execute(update(LedgerEntry).values(reached_at=None))
    bench.road.run("full")
    assert stamped(bench) == NOBODY
    return bench


@contextmanager
def open_at(bench: Bench) -> Iterator[tuple[ReadingAhead, Session]]:
    services = bench.road.services
    with services.db.read() as session:
        connector = session.get_one(Connector, bench.road.connector_id)
        ahead = ReadingAhead(services, connector, services.open_store(connector), services.open_mautic(connector))
        yield ahead, session
        ahead.close()


def test_the_first_reconciliation_compares_nobody_whose_records_have_stamps(synced: Bench, compared: set[str]) -> None:
    row = synced.reconcile()
    assert (row.state, row.pulled, row.skipped) == ("COMPLETED", 4, 4)
    assert named(compared) == NOBODY
    assert stamped(synced) == EVERYBODY


def test_who_is_told_so_is_known_by_an_own_stamp_then(synced: Bench, compared: set[str]) -> None:
    synced.reconcile()
    with synced.road.services.db.write() as session:
        session.execute(delete(RecordStamp))
    assert synced.reconcile().pulled == 4
    assert named(compared) == NOBODY


def test_after_an_import_nobody_is_compared_whose_records_it_has_sent(bench: Bench, compared: set[str]) -> None:
    """Orders whose events wait have no stamps then, so that their buyers are compared."""
    assert bench.reconcile().pulled == 4
    assert named(compared) == {ADA, GUEST}


@pytest.mark.parametrize("what", HAPPENINGS)
def test_whatever_happened_is_looked_at(synced: Bench, compared: set[str], what: str) -> None:
    act, may_be_known = HAPPENINGS[what]
    act(synced)
    found = fine(synced)
    assert named(found) <= NOT_SEEN.get(what, may_be_known)
    hold_against_a_whole_comparison(synced, found, compared)


@pytest.mark.parametrize("seed", range(8))
def test_of_whatever_happened_together_no_more_is_told(synced: Bench, compared: set[str], seed: int) -> None:
    """Acts that need what another one took away are left out."""
    for what in random.Random(seed).sample(sorted(HAPPENINGS), 3):
        try:
            HAPPENINGS[what][0](synced)
        except (AssertionError, Refused, StopIteration):
            continue
    hold_against_a_whole_comparison(synced, fine(synced), compared)


def test_who_differs_is_found_beside_those_who_do_not(synced: Bench, compared: set[str]) -> None:
    synced.change(ADA, city="Rome")
    row = synced.reconcile()
    assert named(compared) == {ADA}
    assert (row.pulled, row.skipped, row.differs) == (4, 3, 1)
    assert [each.detail for each in synced.drift()] == [{"city": ["Bonn", "Rome"]}]
    assert stamped(synced) == EVERYBODY - {ADA}


def test_whose_tag_is_missing_is_found(synced: Bench) -> None:
    synced.contact(GUEST).tags.clear()
    synced.reconcile()
    assert named({each.person_key for each in synced.drift()}) == {GUEST}


def test_of_two_accounts_with_one_address_nothing_is_told(synced: Bench) -> None:
    shop = synced.road.store.shop
    twin = shop.register_customer(email="other@example.com", first_name="Rob", billing={"city": "Ulm"})
    shop.state.person(twin["id"]).email = BOB
    synced.road.run("full")
    assert named(fine(synced)) == EVERYBODY - {BOB}


def test_who_is_in_mautic_but_left_out_by_now_is_not_counted(synced: Bench, compared: set[str]) -> None:
    connectors.configure(synced.road.services, synced.road.connector_id, {"contacts.roles": ["shop_manager"]})
    synced.road.run("full")
    assert named(fine(synced)) == {ADA, GUEST}
    row = synced.reconcile()
    assert row.pulled == 2


@pytest.mark.parametrize("hashes", [{gate.DNC_KEY: gate.SET}, {"cart.nowhere": "0"}, {"order.tag:gone": "+1"}])
def test_a_contact_without_all_that_was_confirmed_is_compared(synced: Bench, hashes: dict[str, str]) -> None:
    """Whether Do Not Contact is ours is not told by a hash."""
    with open_at(synced) as (ahead, session):
        mine = person_key_of(GUEST)
        (known,) = confirmed.links(session, ahead.connector.id, [mine]).values()
        contact = reading.by_emails(ahead.mautic, [GUEST])[GUEST][0]
        other = known._replace(told=json.dumps({**known.hashes, **hashes}))
    assert confirmed.has_all(contact, known, GUEST)
    assert not confirmed.has_all(contact, other, GUEST)
    assert not confirmed.has_all(contact, known, BOB)


# -- what changes between reading ahead and a person's turn -----------------------------------------------------------


def test_a_link_that_is_another_one_by_then_tells_nothing(synced: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = person_key_of(GUEST)
    monkeypatch.setattr(confirmed, "standing", lambda session, connector, kept, people: set(people))
    with open_at(synced) as (ahead, _):
        begun = ahead.begin({mine: ()})
        assert begun.contacts.result()[mine].has_all
        assert ahead.fine(begun).people == {mine}
        with synced.road.services.db.write() as session:
            row = session.scalars(select(ContactLink).where(ContactLink.person_key == mine)).one()
            row.fields = {**row.fields, "order.city": "0"}
        assert ahead.fine(begun).people == set()


@pytest.mark.parametrize("act", [link(contact_id=99), link(fields={})])
def test_nobody_is_read_twice_whose_records_have_no_stamps(bench: Bench, act: Callable[[Bench], object]) -> None:
    act(bench)
    with bench.road.services.db.write() as session:
        session.execute(delete(RecordStamp))
        session.execute(delete(PersonStamp))
    before = bench.road.mautic.calls.total
    assert fine(bench) == set()
    assert bench.road.mautic.calls.total - before <= 1, "the list of fields"
