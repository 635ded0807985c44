"""A customer who was deleted in the store: what becomes of the contact in Mautic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.models import ContactLink, CustomerMark
from integration.pipeline.ingest import records
from integration.store import webhooks
from tests.conftest import NOON
from tests.road.conftest import Road

MakeRoad = Callable[..., Road]
ADA = "ada@example.com"


def registered(road: Road, email: str = ADA) -> int:
    """Register a customer, sync them and return their id."""
    number: int = road.store.shop.register_customer(email=email, first_name="Ada")["id"]
    road.run("full")
    return number


def told(road: Road, number: int) -> None:
    """Say by webhook that a customer was deleted, and work."""
    headers = {"x-wc-webhook-topic": "customer.deleted"}
    change = webhooks.read_delivery(headers, b'{"id":%d}' % number, road.services.clock.now())
    with road.services.db.write() as session:
        records.accept(session, road.services.clock.now(), road.connector_id, [change])  # type: ignore[list-item]
    road.work()


def deleted(road: Road, number: int) -> tuple[str, str, str]:
    """Delete a customer in the shop, tell of it and return state, result and error code of its delivery."""
    road.store.shop.delete_customer(number)
    told(road, number)
    row = [each for each in road.deliveries() if each.event == "deleted"][-1]
    return row.state, row.result, row.error_code


def actions(road: Road) -> list[tuple[str, str]]:
    return [(entry.action, entry.status) for entry in road.log()]


def test_the_contact_stays_by_default(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON))
    number = registered(road)
    assert deleted(road, number) == ("skipped", "skipped", "deleted_in_store")
    assert road.contact(ADA)


def test_a_tag_is_added(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON), contacts__on_delete="tag", contacts__deleted_tag="gone")
    number = registered(road)
    assert deleted(road, number) == ("delivered", "updated", "")
    assert "gone" in road.mautic.state.tag_names(road.contact(ADA))


def test_the_segments_that_the_settings_add_to_are_left(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON), contacts__on_delete="segments", carts__segment=1)
    number = registered(road)
    assert deleted(road, number)[0] == "delivered"
    assert actions(road)[-1] == ("remove_from_segment", "success")


def test_without_a_segment_to_leave_the_reason_is_said(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON), contacts__on_delete="segments")
    number = registered(road)
    assert deleted(road, number) == ("skipped", "skipped", "no_segment_to_leave")


@pytest.mark.parametrize("mautic", ["5.2.1", "7.0.0"], indirect=True)
def test_the_contact_is_deleted_with_an_action_of_its_own(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON), contacts__on_delete="delete")
    number = registered(road)
    assert deleted(road, number) == ("delivered", "deleted", "")
    assert actions(road)[-1] == ("delete_contact", "success")
    assert not road.mautic.state.contacts
    with road.services.db.read() as session:
        assert session.scalars(select(ContactLink)).all() == session.scalars(select(CustomerMark)).all() == []


def test_a_contact_of_somebody_else_by_now_is_kept(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON), contacts__on_delete="delete")
    number = registered(road)
    road.contact(ADA).values["email"] = "other@example.com"
    assert deleted(road, number) == ("skipped", "skipped", "contact_kept")
    assert road.contact("other@example.com")
    assert ("delete_contact", "success") not in actions(road)


def test_a_guests_order_of_the_same_person_keeps_the_contact(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON), contacts__on_delete="delete")
    road.order(ADA)
    number = registered(road)
    assert deleted(road, number) == ("skipped", "skipped", "contact_kept")
    assert "1 order of the person" in road.log()[-1].message
    assert road.contact(ADA)


def test_a_customer_who_is_still_there_loses_nothing(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON), contacts__on_delete="delete")
    number = registered(road)
    told(road, number)
    assert [each.error_code for each in road.deliveries() if each.event == "deleted"] == ["still_there"]
    assert road.contact(ADA)


def test_deleted_twice_is_harmless(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON), contacts__on_delete="delete")
    number = registered(road)
    contact = road.contact(ADA)
    road.mautic.state.delete(contact)
    assert deleted(road, number) == ("delivered", "deleted", "")
    assert "gone from Mautic already" in road.log()[-1].message


def test_settings_without_a_tag_are_refused(make_road: MakeRoad) -> None:
    with pytest.raises(Exception, match="Without a tag"):
        made: dict[str, Any] = {"contacts__on_delete": "tag", "contacts__deleted_tag": ""}
        make_road(SetClock(NOON), **made)
