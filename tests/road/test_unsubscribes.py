"""Who unsubscribes or bounces in Mautic: never freed by the shop, read back, written into the store (X10)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.engines import unsubscribes as ticking
from integration.models import Connector, ConsentEntry, ContactLink
from integration.pipeline.connectors import connectors
from integration.pipeline.consents import unsubscribes, write_back
from integration.sandbox.store.auth import Pair
from tests.road.conftest import Road
from tests.road.consents import (
    BOX,
    EMAIL,
    MakeRoad,
    actions,
    bar,
    barred,
    choose,
    ledger,
    mautic,
    meta,
    profile,
    register,
    road_with,
)

__all__ = ["mautic"]


def use(road: Road, pair: Pair) -> None:
    connectors.connect(road.services, road.connector_id, store_key=pair.key, store_secret=pair.secret)


def read_back(road: Road) -> int:
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    return unsubscribes.read(road.services, connector)


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
