"""What was written is read back now and then: a field that Mautic ignored is found the same minute (X9)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.mautic import reading
from integration.mautic.client import MauticClient
from integration.pipeline import usage
from tests.road.conftest import Road


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road()


def sums(road: Road) -> tuple[int, int]:
    with road.services.db.read() as session:
        found = usage.since(session, road.connector_id, road.services.clock.now().replace(year=2000))
    return found.proved, found.unproved


def test_what_stands_in_mautic_is_proved_without_a_word(road: Road) -> None:
    road.arrive(*(road.order(f"p{n}@example.com") for n in range(5)))
    road.work()
    assert sums(road) == (3, 0)
    assert [entry for entry in road.log() if entry.action == "verify"] == []


def test_a_contact_that_differs_is_an_error_of_the_log(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    by_ids = reading.by_ids

    def altered(client: MauticClient, ids: list[int]) -> object:
        for contact in road.mautic.state.contacts.values():
            contact.values["city"] = "Elsewhere"
        return by_ids(client, ids)

    monkeypatch.setattr(reading, "by_ids", altered)
    road.arrive(road.order("ada@example.com", billing={"city": "Milano"}))
    road.work()
    assert sums(road) == (1, 1)
    (entry,) = [entry for entry in road.log() if entry.action == "verify"]
    assert (entry.status, entry.contact_id) == ("error", 1)
    assert "city is “Elsewhere” instead of “Milano”" in entry.message


def test_a_mautic_that_cannot_be_read_back_spoils_nothing(road: Road) -> None:
    road.mautic.faults.command({"kind": "status", "value": 500, "method": "GET", "path": "/api/contacts"})
    road.arrive(road.order("ada@example.com"))
    road.work()
    assert road.states() == {"delivered"}
    assert sums(road) == (0, 0)


def test_it_can_be_switched_off(make_road: Callable[..., Road]) -> None:
    road = make_road(sync__proof_every=0)
    road.arrive(road.order("ada@example.com"))
    road.work()
    assert sums(road) == (0, 0)
