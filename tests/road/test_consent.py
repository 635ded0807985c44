"""Marketing consent on the road: who is skipped, who gets Do Not Contact, who is freed again (P18)."""

from __future__ import annotations

import pytest

from integration.clock import SetClock
from integration.subscriptions import forgetting
from tests.road.consents import (
    BOX,
    EMAIL,
    KEY,
    OURS,
    MakeRoad,
    actions,
    barred,
    choose,
    ledger,
    mautic,
    meta,
    register,
    road_with,
)
from tests.road.subscribers import subscribe

__all__ = ["mautic"]


def test_without_consent_nobody_is_sent_and_the_reason_names_key_and_page(make_road: MakeRoad) -> None:
    road = road_with(make_road)
    register(road, "no")
    road.arrive(road.order("guest@example.com"))
    road.work()
    assert {(row.state, row.error_code) for row in road.deliveries()} == {("skipped", "no_consent")}
    assert f"“{KEY}” or “{BOX}”" in road.deliveries()[0].error
    assert "Consent, “People without consent”" in road.deliveries()[0].error
    assert not road.mautic.state.contacts
    assert ledger(road) == []


def test_an_account_consents_for_its_orders_and_a_guest_by_the_order(make_road: MakeRoad) -> None:
    road = road_with(make_road, contacts__enabled=False)
    customer = road.store.shop.register_customer(email=EMAIL, **meta(KEY, "YES"))
    road.arrive(road.order(EMAIL, customer_id=customer["id"]), road.order("guest@example.com", **meta(BOX, 1)))
    road.work()
    assert road.states() == {"delivered"}
    assert {contact.values["email"] for contact in road.mautic.state.contacts.values()} == {EMAIL, "guest@example.com"}
    assert {(state, source) for state, source, _ in ledger(road)} == {("given", "customer"), ("given", "order")}


def test_with_do_not_contact_everybody_is_sent_in_one_write(make_road: MakeRoad) -> None:
    road = road_with(make_road, consent__without="dnc")
    register(road, "0")
    assert barred(road.contact(EMAIL)) == [(3, OURS)]
    assert road.writes() == 1
    assert actions(road) == ["create_or_update", "do_not_contact"]


@pytest.mark.parametrize("without", ["skip", "dnc"])
def test_a_withdrawal_bars_the_contact_and_a_new_consent_frees_it(make_road: MakeRoad, without: str) -> None:
    road = road_with(make_road, consent__without=without)
    customer = register(road, "1")
    assert barred(road.contact(EMAIL)) == []
    choose(road, customer, "0", first_name="Augusta")
    assert barred(road.contact(EMAIL)) == [(3, OURS)]
    # Skipped people are not written any more; their contact keeps what it had.
    assert road.contact(EMAIL).values["firstname"] == ("Ada" if without == "skip" else "Augusta")
    again = choose(road, customer, "0")
    assert (again.state, again.error_code) == ("skipped", "no_consent" if without == "skip" else "unchanged")
    choose(road, customer, "1")
    assert barred(road.contact(EMAIL)) == []
    assert road.contact(EMAIL).values["firstname"] == "Augusta"
    assert [action for action in actions(road) if "contact" in action] == ["do_not_contact", "allow_contact"]
    assert [state for state, _, _ in ledger(road)] == ["given", "withdrawn", "given"]
    assert not [entry for entry in road.log() if entry.status == "error"]


def test_who_subscribes_by_the_form_is_freed_with_the_wording_as_evidence(make_road: MakeRoad) -> None:
    road = road_with(make_road, consent__without="dnc", subscribe__enabled=True, subscribe__tags="News")
    register(road, "0")
    assert subscribe(road, EMAIL)
    road.work()
    assert barred(road.contact(EMAIL)) == []
    assert ledger(road) == [("given", "form", "1")]
    with road.services.db.write() as session:
        forgetting.forget(session, road.services.clock.now(), 1)
    assert ledger(road) == []


def test_an_unconfirmed_subscription_is_no_consent_yet(make_road: MakeRoad) -> None:
    road = road_with(make_road, subscribe__enabled=True, subscribe__double_opt_in=True, subscribe__email=1)
    subscribe(road, EMAIL)
    assert ledger(road) == []


def test_a_lost_answer_bars_once_and_frees_nobody(make_road: MakeRoad) -> None:
    road = road_with(make_road, consent__without="dnc", sync__proof_every=0)
    road.mautic.faults.lose_answer(path="/api/contacts/batch/new", times=1)
    register(road, "0")
    assert isinstance(road.services.clock, SetClock)
    for _ in range(6):
        road.services.clock.advance(seconds=600)
        road.work()
    assert road.states() == {"delivered"}
    assert len(road.mautic.state.contacts) == 1
    assert barred(road.contact(EMAIL)) == [(3, OURS)]


def test_who_cannot_be_asked_waits_and_is_neither_sent_nor_barred(make_road: MakeRoad) -> None:
    road = road_with(make_road, consent__without="dnc")
    order = road.order(EMAIL, customer_id=road.store.shop.register_customer(email=EMAIL)["id"])
    road.store.shop_faults.add("status:503", "/wp-json/wc/v3/customers")
    road.arrive(order)
    road.work()
    assert road.states() == {"ready"}
    assert not road.mautic.state.contacts


def test_a_dry_run_foretells_skips_and_do_not_contact(make_road: MakeRoad) -> None:
    road = road_with(make_road)
    customer = road.store.shop.register_customer(email=EMAIL, **meta(KEY, "1"))
    road.order(EMAIL, customer_id=customer["id"])
    road.order("guest@example.com")
    run = road.run("bulk", dry_run=True)
    assert (run.pushed, run.skipped) == (2, 1)
    assert not road.mautic.state.contacts
    assert ledger(road) == []
