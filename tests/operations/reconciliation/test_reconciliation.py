"""What a reconciliation finds on real sockets, and that a right world gives it nothing to find."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from integration.clock import SetClock
from integration.models import ContactLink, Reconciliation
from integration.models.drift import Reconciled
from integration.operations import reconciliation
from integration.operations.reconciliation import strangers
from integration.pipeline.connectors import connectors
from integration.pipeline.leases.endings import Cancelled, Lost
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import lifecycle as run_lifecycle
from tests.operations.reconciliation.conftest import Bench, counts, tick


def test_what_was_just_imported_is_right(bench: Bench) -> None:
    before = bench.road.writes()
    row = bench.reconcile()
    assert (row.state, row.error, counts(row)) == ("COMPLETED", "", {})
    assert row.pulled == 4
    assert row.calls > 0
    assert bench.road.writes() == before
    with bench.road.services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Reconciled)) == 0


def test_a_contact_that_is_gone_is_missing_and_comes_back(bench: Bench) -> None:
    bench.delete("bob@example.com")
    bench.delete("guest@example.com")
    row = bench.reconcile()
    assert counts(row) == {"missing": 2}
    (bob,) = (each for each in bench.drift() if each.source_kind == "contact")
    assert bob.detail == {"email": ["bob@example.com", None]}
    assert bench.repair(kind="missing") == 2
    assert bench.contact("bob@example.com").values["city"] == "Ulm"
    assert bench.contact("guest@example.com").values["city"] == "Cork"
    assert all(each.repaired_at for each in bench.drift())
    assert counts(bench.reconcile()) == {}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]


def test_do_not_contact_that_was_taken_away_in_mautic_is_found_and_set_again(bench: Bench) -> None:
    settings = {"consent.enabled": True, "consent.customer_field": "news", "consent.without": "dnc"}
    connectors.configure(bench.road.services, bench.road.connector_id, settings)
    bench.road.run("full")
    bob = bench.contact("bob@example.com")
    assert [entry["reason"] for entry in bob.dnc] == [3]
    assert counts(bench.reconcile()) == {}
    bob.dnc.clear()
    assert counts(bench.reconcile()) == {"differs": 1}
    assert bench.drift()[0].detail == {"do_not_contact": [True, False]}
    bench.repair(kind="differs")
    assert [entry["reason"] for entry in bob.dnc] == [3]
    bob.dnc[0].update(reason=1, comments="clicked the link")
    assert counts(bench.reconcile()) == {}


def test_other_values_and_lost_tags_are_found_and_written_again(bench: Bench) -> None:
    bench.change("cyd@example.com", firstname="Sid", city="Köln")
    guest = bench.contact("guest@example.com")
    kept = len(guest.tags)
    guest.tags.clear()
    row = bench.reconcile()
    assert counts(row) == {"differs": 2}
    cyd = next(each for each in bench.drift() if each.source_kind == "contact")
    assert cyd.detail == {"firstname": ["Cyd", "Sid"], "city": ["Ulm", "Köln"]}
    assert "differs in firstname, city" in cyd.sentence
    tags = next(each for each in bench.drift() if each.source_kind == "order")
    assert tags.detail["tag:buyer"] == [True, False]
    assert bench.repair() == 2
    assert bench.contact("cyd@example.com").values["firstname"] == "Cyd"
    assert len(bench.contact("guest@example.com").tags) == kept
    assert counts(bench.reconcile()) == {}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]


def test_profile_and_order_may_differ_for_ever(bench: Bench) -> None:
    assert bench.contact("ada@example.com").values["city"] == "Bonn"
    bench.change("ada@example.com", city="Ulm")
    assert counts(bench.reconcile()) == {}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]
    bench.change("ada@example.com", city="Rome")
    assert counts(bench.reconcile()) == {"differs": 1}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]
    assert bench.drift()[0].detail == {"city": ["Bonn", "Rome"]}


@pytest.mark.parametrize("mark", ["\u202b", "\u200f", "\u200b", "\ufeff", "\u00a0"])
def test_values_that_mautic_trims_are_no_drift_and_a_repair_ends(bench: Bench, mark: str) -> None:
    values = {"first_name": f"{mark}Eve{mark}", "city": f"{mark} Cork", "company": f"A{mark}B{mark}"}
    shop = bench.road.store.shop
    shop.register_customer(email="eve@example.com", first_name=f"{mark}Eve", billing=values)
    bench.road.order("dan@example.com", billing={**values, "country": "IE"})
    bench.road.run("full")
    assert counts(bench.reconcile()) == {}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]
    assert bench.contact("dan@example.com").values["firstname"] == "Eve"
    assert bench.contact("dan@example.com").values["company"] == f"A{mark}B"
    bench.change("dan@example.com", city="Rome")
    bench.change("eve@example.com", city="Rome")
    assert counts(bench.reconcile()) == {"differs": 2}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]
    assert bench.repair() == 2
    assert counts(bench.reconcile()) == {}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]


def test_an_address_changed_in_mautic_differs(bench: Bench) -> None:
    bench.change("bob@example.com", email="robert@example.com")
    assert counts(bench.reconcile()) == {"differs": 1}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]
    assert bench.drift()[0].detail == {"email": ["bob@example.com", "robert@example.com"]}
    bench.repair()
    assert bench.contact("bob@example.com").values["firstname"] == "Bob"


def test_twins_are_named_and_the_link_is_set_to_the_oldest(bench: Bench) -> None:
    twin = bench.double("bob@example.com")
    oldest = min(number for number in bench.road.mautic.state.having("email", "bob@example.com"))
    with bench.road.services.db.write() as session:
        link = session.scalar(select(ContactLink).where(ContactLink.contact_id == oldest))
        assert link is not None
        link.contact_id = twin.id
    assert counts(bench.reconcile()) == {"doubled": 1}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]
    (row,) = bench.drift()
    assert row.detail == {"contacts": [oldest, twin.id]}
    assert "Merge them in Mautic" in row.sentence
    bench.repair()
    with bench.road.services.db.read() as session:
        assert session.get_one(ContactLink, (bench.road.connector_id, row.person_key)).contact_id == oldest


def test_whom_the_store_has_no_more_is_surplus_and_stays(bench: Bench) -> None:
    shop = bench.road.store.shop
    shop.delete_customer(next(each["id"] for each in shop.customers if each["email"] == "bob@example.com"))
    contacts = len(bench.road.mautic.state.contacts)
    assert counts(bench.reconcile()) == {"surplus": 1}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]
    (row,) = bench.drift()
    assert row.contact_id == bench.contact("bob@example.com").id
    with bench.road.services.db.write() as session:
        now = bench.road.services.clock.now()
        assert reconciliation.ask(session, now, bench.road.connector_id, row.reconciliation_id) == 0
    assert len(bench.road.mautic.state.contacts) == contacts


def test_a_stranger_with_our_fields_is_surplus(bench: Bench) -> None:
    alias = next(alias for alias in bench.road.mautic.state.by_alias if alias.startswith("mautic_woo_order_count"))
    twin = bench.double("stranger@example.com")
    bench.change("stranger@example.com", **{alias: 3})
    assert counts(bench.reconcile()) == {"surplus": 1}, [(d.kind, d.detail, d.person_key) for d in bench.drift()]
    assert bench.drift()[0].contact_id == twin.id


@pytest.mark.parametrize("linked", [1, 2, 300])
def test_strangers_are_found_between_linked_contacts_which_are_not_shown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, linked: int
) -> None:
    monkeypatch.setattr(strangers, "LINKED_AT_ONCE", linked)
    alias = next(alias for alias in bench.road.mautic.state.by_alias if alias.startswith("mautic_woo_order_count"))
    twins = []
    for name in ("eve", "fay"):
        twins.append(bench.double(f"{name}@example.net").id)
        bench.change(f"{name}@example.net", **{alias: 3})
        bench.road.order(f"{name}@example.com")
        bench.road.run("full")
    shown: list[int] = []
    read = strangers.read
    monkeypatch.setattr(strangers, "read", lambda *said: [shown.append(row["id"]) or row for row in read(*said)])
    assert counts(bench.reconcile()) == {"surplus": 2}
    assert [each.contact_id for each in bench.drift()] == shown == twins


def test_orders_that_went_without_a_word_change_the_sums(bench: Bench) -> None:
    """No webhook told of the deletion: only the comparison with the store finds it."""
    extra = bench.road.order("ada@example.com")
    bench.road.run("full")
    assert counts(bench.reconcile()) == {}, [d.detail for d in bench.drift()]
    bench.road.store.shop.delete_force(extra["id"])
    row = bench.reconcile()
    assert counts(row) == {"differs": 1}
    assert any(alias.startswith("mautic_woo_order_count") for alias in bench.drift()[0].detail)
    bench.repair()
    assert counts(bench.reconcile()) == {}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]


def test_the_only_order_of_a_person_that_went_without_a_word_is_emptied(bench: Bench) -> None:
    only = bench.road.order("solo@example.com")
    bench.road.run("full")
    assert counts(bench.reconcile()) == {}, [d.detail for d in bench.drift()]
    bench.road.store.shop.delete_force(only["id"])
    assert counts(bench.reconcile()) == {"differs": 1}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]
    assert any(alias.startswith("mautic_woo_order_count") for alias in bench.drift()[0].detail)
    bench.repair()
    held = bench.contact("solo@example.com").values
    assert [held.get(f"mautic_woo_{name}") in (None, "") for name in ("order_count", "order_data")] == [True, True]
    assert counts(bench.reconcile()) == {"surplus": 1}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]


def test_an_order_that_was_never_sent_is_missing_after_a_while(bench: Bench) -> None:
    bench.road.order("late@example.com")
    assert counts(bench.reconcile()) == {}, "it may still be on its way"
    ahead = SetClock(bench.road.services.clock.now() + timedelta(minutes=20))
    bench.road.services.clock = ahead
    assert counts(bench.reconcile()) == {"missing": 1}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]
    bench.repair()
    assert bench.contact("late@example.com").values["lastname"] == "Lovelace"


def test_what_is_still_owed_is_no_drift(bench: Bench) -> None:
    bench.delete("guest@example.com")
    bench.road.arrive(bench.road.order("guest@example.com"), origin="full")
    assert counts(bench.reconcile()) == {}, [(d.kind, d.detail, d.sentence) for d in bench.drift()]


# -- the machinery ----------------------------------------------------------------------------------------------------


def test_it_goes_on_from_its_cursor(bench: Bench) -> None:
    bench.delete("bob@example.com")
    services, number = bench.road.services, reconciliation.start(bench.road.services, bench.road.connector_id, "test")
    phases = []
    for _ in range(30):
        if not tick(services, seconds=0.0):
            break
        with services.db.read() as session:
            phases.append(session.get_one(Reconciliation, number).phase)
    assert {"ledger", "customers", "buyers"} <= set(phases)
    with services.db.read() as session:
        row = session.get_one(Reconciliation, number)
    assert (row.state, row.missing, row.pulled) == ("COMPLETED", 1, 4)


def test_only_one_goes_at_a_time_and_it_can_be_cancelled(bench: Bench) -> None:
    services, connector_id = bench.road.services, bench.road.connector_id
    number = reconciliation.start(services, connector_id, "test")
    with pytest.raises(reconciliation.ReconciliationGoing):
        reconciliation.start(services, connector_id, "test")
    tick(services, seconds=0.0)
    assert reconciliation.cancel(services, connector_id, number)
    tick(services)
    with services.db.read() as session:
        row = session.get_one(Reconciliation, number)
    assert (row.state, row.lease_token) == ("CANCELLED", None)
    assert not reconciliation.cancel(services, connector_id, number)
    assert not reconciliation.cancel(services, connector_id + 1, number)


def test_a_leased_one_is_left_alone_and_cancelled_by_its_owner(bench: Bench) -> None:
    services = bench.road.services
    number = reconciliation.start(services, bench.road.connector_id, "test")
    token = new_token()
    with services.db.write() as session:
        run = run_lifecycle.take(session, services.clock.now(), token)
        assert run is not None
    assert tick(services) == 0
    reconciliation.cancel(services, bench.road.connector_id, number)
    with services.db.write() as session, pytest.raises(Cancelled):
        run_lifecycle.held(session, services.clock.now(), run, token)
    with services.db.write() as session, pytest.raises(Lost):
        run_lifecycle.held(session, services.clock.now(), run, "another")


def test_a_store_that_is_down_is_waited_for(bench: Bench) -> None:
    bench.road.store.faults.add("status", value=500, path=".*/orders")
    services = bench.road.services
    clock = SetClock(services.clock.now())
    services.clock = clock
    number = reconciliation.start(services, bench.road.connector_id, "test")
    tick(services)
    with services.db.read() as session:
        row = session.get_one(Reconciliation, number)
    assert row.ended_at is None
    assert row.error.startswith("It waits and tries again: ")
    assert tick(services) == 0, "not before its pause is over"
    bench.road.store.faults.clear()
    clock.advance(minutes=10)
    assert tick(services) == 1
    with services.db.read() as session:
        row = session.get_one(Reconciliation, number)
    assert (row.state, row.error) == ("COMPLETED", "")
