"""A field that Mautic demands is one cause and a hold, not a dead letter for each record."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from integration.clock import SetClock
from integration.mautic.verdicts import REQUIRED
from integration.pipeline.delivery.retries import DELAYS
from integration.sandbox.mautic import MauticServer
from tests.conftest import NOON
from tests.road.conftest import Road


@pytest.fixture(params=["5.2.1", "7.0.0"])
def mautic(request: pytest.FixtureRequest) -> Iterator[MauticServer]:
    with MauticServer(version=request.param) as server:
        yield server


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road(SetClock(NOON))


def demand(road: Road, alias: str, demanded: bool = True) -> None:
    with road.mautic.state.lock:
        for row in road.mautic.state.fields.values():
            if row["alias"] == alias:
                row["isRequired"] = demanded


def wait(road: Road, seconds: float) -> None:
    assert isinstance(road.services.clock, SetClock)
    road.services.clock.advance(seconds=seconds)
    road.work()


def test_it_holds_after_a_few_and_goes_on_when_it_is_mended(road: Road) -> None:
    demand(road, "position")
    road.arrive(*(road.order(f"p{number}@example.com") for number in range(8)))
    road.work()
    assert (road.states(), road.holds()) == ({"ready"}, [REQUIRED])
    assert len(road.mautic.calls) <= 10
    assert "“position”" in road.deliveries()[0].error
    assert {delivery.category for delivery in road.deliveries()} == {"configuration"}
    for _ in range(len(DELAYS) + 2):
        wait(road, 301)
    assert (road.states(), road.holds()) == ({"ready"}, [REQUIRED])
    demand(road, "position", False)
    wait(road, 301)
    wait(road, 301)
    assert (road.states(), road.holds()) == ({"delivered"}, [])


def test_orders_that_arrive_one_by_one_are_no_dead_letters_either(road: Road) -> None:
    demand(road, "position")
    for number in range(5):
        road.arrive(road.order(f"p{number}@example.com"))
        wait(road, 1)
    assert road.states() == {"ready"}
    demand(road, "position", False)
    wait(road, DELAYS[0] * 2)
    assert road.states() == {"delivered"}


def test_a_person_who_lacks_it_alone_holds_nobody(road: Road) -> None:
    demand(road, "company")
    road.arrive(
        road.order("alone@example.com"),
        *(road.order(f"p{number}@example.com", billing={"company": "Acme"}) for number in range(4)),
    )
    road.work()
    assert road.holds() == []
    assert [row.state for row in road.deliveries()] == ["ready"] + ["delivered"] * 4


def test_a_value_that_is_refused_stays_its_records_own(road: Road) -> None:
    road.arrive(*(road.order(f"böse{number}@example.com") for number in range(4)))
    road.work()
    assert (road.states(), road.holds()) == ({"dead"}, [])
