"""RFM classes on their way (X14): who moved is sent, behind everything else, to the contact that the buyer is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update

from integration.engines import buyer_scores
from integration.identity import person_key_of
from integration.models import LedgerEntry
from integration.operations.scoring import schedule
from tests.road.conftest import Road

pytestmark = pytest.mark.road


def classes(road: Road) -> dict[str, object]:
    return {
        str(each.values["email"]): each.values.get("mautic_woo_rfm") for each in road.mautic.state.contacts.values()
    }


def night(road: Road) -> None:
    with road.services.db.write() as session:
        schedule.bring_forward(session, road.services.clock.now(), road.connector_id)
    assert buyer_scores.tick(road.services) == 1
    road.work()


def test_classes_reach_the_contacts_and_only_who_moved_is_sent_again(make_road: Callable[..., Road]) -> None:
    road = make_road(orders__rfm=True, orders__create_fields=True)
    lines = [{"product_id": 0, "name": "Tea", "quantity": 1, "total": "9.00"}]
    for number in range(1, 6):
        road.order(f"b{number}@example.com", line_items=lines * number)
    assert road.run("initial").state == "COMPLETED"
    night(road)
    found = classes(road)
    assert [str(found[f"b{number}@example.com"])[2] for number in range(1, 6)] == list("12345")
    assert {each.values.get("mautic_woo_rfm_segment") for each in road.mautic.state.contacts.values()} > {"lapsed"}
    scored = [each for each in road.deliveries() if each.kind == "rfm"]
    assert {(each.origin, each.state) for each in scored} == {("scores", "delivered")}
    writes = road.writes()
    night(road)
    assert road.writes() == writes
    gone = next(
        number for number, each in road.mautic.state.contacts.items() if each.values["email"] == "b1@example.com"
    )
    del road.mautic.state.contacts[gone]
    mine = LedgerEntry.person_key == person_key_of("b1@example.com")
    with road.services.db.write() as session:
        session.execute(update(LedgerEntry).where(mine).values(net_total="999.00"))
    night(road)
    ends = {(each.state, each.error_code) for each in road.deliveries() if each.kind == "rfm"}
    assert ends == {("delivered", ""), ("skipped", "contact_gone")}
    assert "b1@example.com" not in classes(road)
