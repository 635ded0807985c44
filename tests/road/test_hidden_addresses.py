"""A CDN that hides e-mail addresses is one cause, and no record's fault."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.clock import SetClock
from integration.sandbox.store.list_faults import PLACEHOLDER
from tests.conftest import NOON
from tests.road.conftest import Road

LISTS = "/wp-json/wc/v3/(orders|customers)$"


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road(SetClock(NOON))


@pytest.mark.parametrize("kind", ["initial", "full", "incremental"])
def test_a_run_ends_with_the_cause_and_takes_nothing(road: Road, kind: str) -> None:
    for number in range(4):
        road.order(f"p{number}@example.com")
    road.store.faults.add("hide_emails", path=LISTS)
    run = road.run(kind)
    assert (run.state, run.error_code) == ("FAILED", "email_hidden")
    assert "Scrape Shield" in run.error
    assert (road.deliveries(), road.holds()) == ([], ["email_hidden"])
    road.store.faults.clear()
    assert road.run(kind).state == "COMPLETED"
    assert (road.states(), road.holds(), len(road.deliveries())) == ({"delivered"}, [], 4)


def test_one_changed_order_of_many_is_seen_by_looking_at_others(road: Road) -> None:
    road.run("incremental")
    road.order("p@example.com")
    road.store.faults.add("hide_emails", path=LISTS)
    assert road.run("incremental").error_code == "email_hidden"


def test_a_placeholder_that_stands_in_the_store_is_that_orders_own(road: Road) -> None:
    road.order(PLACEHOLDER)
    road.order("fine@example.com")
    road.run("full")
    assert [(row.state, row.error_code, row.category) for row in road.deliveries()] == [
        ("dead", "email_hidden", "configuration"),
        ("delivered", "fields_missing", "configuration"),
    ]


def test_a_retry_does_not_trade_its_address_for_a_placeholder(road: Road) -> None:
    road.mautic.faults.status(500, path="/api/contacts/batch", times=1)
    road.arrive(road.order("ada@example.com"))
    road.work()
    road.store.faults.add("hide_emails", path=LISTS)
    assert isinstance(road.services.clock, SetClock)
    road.services.clock.advance(minutes=10)
    road.work()
    assert road.states() == {"delivered"}
