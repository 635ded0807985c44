"""Marketing consent on the road: who is skipped, who gets Do Not Contact, what comes back from Mautic (P18, X10)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.engines import unsubscribes as ticking
from integration.events import Origin
from integration.models import Connector, ConsentEntry, ContactLink, Delivery
from integration.pipeline.connectors import connectors
from integration.pipeline.consents import unsubscribes, write_back
from integration.pipeline.ingest import records
from integration.sandbox.mautic import MauticServer
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.store.auth import Pair
from integration.store import parse
from integration.subscriptions import forgetting
from tests.conftest import NOON
from tests.road.conftest import Road
from tests.road.test_subscriptions import subscribe

MakeRoad = Callable[..., Road]
KEY, BOX = "newsletter_consent", "checkout_news"
EMAIL = "ada@example.com"
OURS = "No marketing consent at 127.0.0.1 (woo-mautic)"


@pytest.fixture(params=["5.2.0", "7.0.0"])
def mautic(request: pytest.FixtureRequest) -> Iterator[MauticServer]:
    with MauticServer(version=request.param) as server:
        yield server


def road_with(make_road: MakeRoad, **settings: Any) -> Road:
    usual = {
        "consent__enabled": True,
        "consent__customer_field": KEY,
        "consent__order_field": BOX,
        "sync__proof_every": 1,
    }
    return make_road(SetClock(NOON), **{**usual, **settings})


def meta(key: str, value: Any) -> dict[str, Any]:
    return {"meta_data": [{"key": key, "value": value}]}


def profile(road: Road, customer: dict[str, Any]) -> Delivery:
    """A customer was saved in the shop, and a webhook said so."""
    now = road.services.clock.now()
    with road.services.db.write() as session:
        change = parse.customer_change(customer, Origin.WEBHOOK, now, created=False)
        records.accept(session, now, road.connector_id, [change])
    road.work()
    return road.deliveries()[-1]


def register(road: Road, value: Any = None, email: str = EMAIL) -> dict[str, Any]:
    more = {} if value is None else meta(KEY, value)
    made = road.store.shop.register_customer(email=email, first_name="Ada", **more)
    profile(road, made)
    return made


def choose(road: Road, customer: dict[str, Any], value: Any, **fields: Any) -> Delivery:
    road.store.shop.edit_customer(customer["id"], **meta(KEY, value), **fields)
    with road.store.state.lock:
        # A minute after whatever was before it: the test is quicker than the store's seconds.
        road.store.state.people[customer["id"]].modified = int(time.time()) + 60 * len(road.deliveries())
    (shown,) = (each for each in road.store.shop.customers if each["id"] == customer["id"])
    return profile(road, shown)


def barred(contact: Contact) -> list[tuple[int, str]]:
    return [(entry["reason"], entry["comments"]) for entry in contact.dnc if entry["channel"] == "email"]


def bar(road: Road, contact: Contact, reason: int, comment: str = "") -> None:
    """Somebody unsubscribes, or an e-mail bounces, in Mautic."""
    with road.mautic.state.lock:
        road.mautic.context.writer.add_dnc(contact, "email", reason, comment)


def use(road: Road, pair: Pair) -> None:
    connectors.connect(road.services, road.connector_id, store_key=pair.key, store_secret=pair.secret)


def ledger(road: Road) -> list[tuple[str, str, str]]:
    with road.services.db.read() as session:
        rows = session.scalars(select(ConsentEntry).order_by(ConsentEntry.id)).all()
    return [(row.state, row.source, row.ref) for row in rows]


def actions(road: Road) -> list[str]:
    return [entry.action for entry in road.log()]


def read_back(road: Road) -> int:
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    return unsubscribes.read(road.services, connector)


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


@pytest.mark.parametrize("reason", [1, 2])
def test_who_unsubscribed_or_bounced_in_mautic_stays_so_whatever_the_shop_says(
    make_road: MakeRoad, reason: int
) -> None:
    road = road_with(make_road, consent__without="dnc")
    customer = register(road, "1")
    bar(road, road.contact(EMAIL), reason, "their own")
    choose(road, customer, "0")
    choose(road, customer, "1", first_name="Augusta")
    assert barred(road.contact(EMAIL)) == [(reason, "their own")]
    assert road.contact(EMAIL).values["firstname"] == "Augusta"
    assert "allow_contact" not in actions(road)
    # Mautic's answers have told it already: reading it back finds nothing new.
    word = {1: "unsubscribed", 2: "bounced"}[reason]
    assert actions(road).count(word) == 1
    assert read_back(road) == 0


def test_somebody_barred_by_us_who_unsubscribes_later_is_never_freed(make_road: MakeRoad) -> None:
    road = road_with(make_road, consent__without="dnc", sync__proof_every=0)
    customer = register(road, "0")
    assert read_back(road) == 0
    assert ledger(road) == []
    bar(road, road.contact(EMAIL), 1, "clicked the link")
    assert read_back(road) == 1
    assert ledger(road) == [("unsubscribed", "mautic", str(road.contact(EMAIL).id))]
    choose(road, customer, "1")
    assert barred(road.contact(EMAIL)) == [(1, "clicked the link")]


def test_unsubscribes_flow_back_into_the_store_and_their_echo_goes_nowhere(make_road: MakeRoad) -> None:
    road = road_with(make_road, consent__write_back=True)
    customer = register(road, "1")
    bar(road, road.contact(EMAIL), 1)
    before = road.writes()
    assert ticking.tick(road.services) == 1
    (shown,) = road.store.shop.customers
    assert {row["key"]: row["value"] for row in shown["meta_data"]}["_mautic_unsubscribed"] == "unsubscribed"
    assert actions(road)[-2:] == ["unsubscribed", "write_back"]
    echo = profile(road, shown)
    assert (echo.state, echo.error_code) == ("skipped", "unchanged")
    assert ticking.tick(road.services) == 0
    assert isinstance(road.services.clock, SetClock)
    road.services.clock.advance(days=2)
    assert ticking.tick(road.services) == 0
    assert road.writes() == before
    assert (customer["id"], actions(road).count("unsubscribed")) == (shown["id"], 1)


def test_a_store_that_may_not_be_written_to_is_asked_once_a_day(make_road: MakeRoad) -> None:
    road = road_with(make_road, consent__write_back=True)
    register(road, "1")
    bar(road, road.contact(EMAIL), 1)
    use(road, road.store.credentials.read_only)
    road.store.calls.reset()
    assert isinstance(road.services.clock, SetClock)
    for _ in range(4):
        ticking.tick(road.services)
        road.services.clock.advance(minutes=10)
    assert sum("/customers/batch" in call.path for call in road.store.calls) == 1
    with road.services.db.read() as session:
        assert write_back.problem(session.get_one(Connector, road.connector_id))
    assert road.holds() == []
    use(road, road.store.credentials)
    road.services.clock.advance(days=1)
    ticking.tick(road.services)
    (shown,) = road.store.shop.customers
    assert "_mautic_unsubscribed" in {row["key"] for row in shown["meta_data"]}
    with road.services.db.read() as session:
        assert write_back.problem(session.get_one(Connector, road.connector_id)) == ""


def test_an_order_by_a_guest_who_bounced_is_known_and_not_written_anywhere(make_road: MakeRoad) -> None:
    road = road_with(make_road, consent__write_back=True)
    road.arrive(road.order(EMAIL, **meta(BOX, "yes")))
    road.work()
    bar(road, road.contact(EMAIL), 2, "mailbox full")
    ticking.tick(road.services)
    with road.services.db.read() as session:
        row = session.scalars(select(ConsentEntry).order_by(ConsentEntry.id.desc())).first()
    assert row is not None
    assert (row.state, row.email, row.value) == ("bounced", EMAIL, "mailbox full")
    assert "no account" in row.write_back


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


def test_nothing_is_read_more_often_than_a_refusal_can_change(make_road: MakeRoad) -> None:
    """A user without the right: Mautic 7 has a search instead, 5.2 says so on the page and is asked again tomorrow."""
    road = road_with(make_road)
    register(road, "1")
    bar(road, road.contact(EMAIL), 1)
    refusal = '{"errors":[{"message":"You do not have access to the requested area/action.","code":403,"type":null}]}'
    road.mautic.faults.status(403, path="/api/stats", body=refusal)
    searches = road.mautic.state.major >= 7
    assert read_back(road) == (1 if searches else 0)
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
        assert session.get(ContactLink, (connector.id, road.deliveries()[0].person_key)) is not None
    place = unsubscribes.Place.of(connector)
    assert bool(place.problem) is not searches
    calls = len(road.mautic.calls)
    assert read_back(road) == 0
    assert len(road.mautic.calls) == calls
    assert isinstance(road.services.clock, SetClock)
    road.services.clock.advance(days=1)
    road.mautic.faults.clear()
    read_back(road)
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    assert unsubscribes.Place.of(connector).problem == ""
    assert [state for state, _, _ in ledger(road)] == ["given", "unsubscribed"]
