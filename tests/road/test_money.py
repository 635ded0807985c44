"""Money, days and product tags on the whole road, as the person's orders of all sorts come and go."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from integration.mapping import aliases
from integration.mapping.aliases import cut
from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models import Connector, ContactLink
from integration.models.ledger import LedgerEntry
from integration.pipeline.connectors import store_profile
from integration.sandbox.mautic.contact import Contact
from tests.road.conftest import Road

ANNA = "anna@example.com"
MUG = [{"name": "Mug", "quantity": 1, "total": "30.00"}]


def connector(road: Road) -> Connector:
    with road.services.db.read() as session:
        return session.get_one(Connector, road.connector_id)


def with_fields(road: Road) -> Road:
    Fields(road.services.open_mautic(connector(road))).create_all(needs(road.services.modules(connector(road))))
    return road


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return with_fields(make_road(orders__remove_completed_tag="yes", orders__notes=True))


def contact(road: Road, email: str = ANNA) -> Contact:
    found = road.mautic.state.contact(email)
    assert found is not None
    return found


def tags(road: Road) -> list[str]:
    return road.mautic.state.tag_names(contact(road))


def products(road: Road) -> dict[int, Any]:
    with road.services.db.read() as session:
        return dict(session.execute(select(LedgerEntry.order_id, LedgerEntry.products)).tuples().all())


def test_a_dinar_keeps_its_third_decimal_and_a_yen_has_none(road: Road) -> None:
    road.store.state.currency = "KWD"
    road.run()
    order = road.order(ANNA, currency="KWD")
    line = {"name": "Mug", "price": 17.169999999999998, "quantity": 1, "total": "12.345"}
    road.arrive({**order, "total": "12.345", "discount_total": "1.4e-17", "line_items": [line]})
    road.work()
    data = json.loads(contact(road).values["mautic_woo_order_data"])
    assert (data["total"], data["discount_total"], data["items"][0]["price"]) == ("12.345", "0.000", "17.170")
    assert float(contact(road).values["mautic_woo_total_spent"]) == 12.345
    (note,) = road.mautic.state.notes.values()
    assert "Total 12.345 KWD" in note["text"]
    road.arrive({**road.order("yen@example.com"), "currency": "JPY", "total": "5000.00"})
    road.work()
    yen = contact(road, "yen@example.com")
    assert json.loads(yen.values["mautic_woo_order_data"])["total"] == "5000"


def test_an_order_just_after_midnight_is_of_that_day_everywhere(road: Road) -> None:
    road.run()
    night = {"date_created": "2026-11-28T00:05:00", "date_created_gmt": "2026-11-27T23:05:00"}
    road.arrive(road.order(ANNA) | night)
    road.work()
    values = contact(road).values
    assert json.loads(values["mautic_woo_order_data"])["date"] == "2026-11-28"
    assert (values[cut(aliases.FIRST_ORDER)], values[cut(aliases.LAST_ORDER)]) == ("2026-11-28",) * 2
    (note,) = road.mautic.state.notes.values()
    assert "2026-11-28" in note["text"] and "2026-11-27" not in note["text"]


def test_the_currency_is_asked_elsewhere_when_the_system_report_is_refused(road: Road) -> None:
    road.store.faults.add("wrong_credentials", path=r".*/system_status$")
    road.order(ANNA, currency="EUR")
    road.order(ANNA, currency="JPY")
    road.run()
    assert connector(road).store_facts["currency"] == "EUR"
    assert int(contact(road).values["mautic_woo_order_count"]) == 1


def test_orders_in_two_currencies_are_not_added_up_while_the_shops_is_not_known(road: Road) -> None:
    refused = road.store.faults.add("wrong_credentials", path=r".*/(system_status|data/currencies/current)$")
    first = road.order(ANNA, currency="EUR", line_items=MUG)
    road.order(ANNA, currency="JPY", line_items=MUG)
    road.order("alone@example.com", currency="JPY", line_items=MUG)
    road.run()
    assert "mautic_woo_total_spent" not in contact(road).values
    said = " ".join(entry.message for entry in road.log() if entry.source_id == str(first["id"]))
    assert "until the shop's currency is known: the paid orders are in EUR, JPY" in said
    assert float(contact(road, "alone@example.com").values["mautic_woo_total_spent"]) > 1
    road.store.faults.remove(refused)
    road.run("full")
    assert float(contact(road).values["mautic_woo_total_spent"]) == float(first["total"])


def test_the_shops_decimals_and_locale_are_kept_with_its_facts(road: Road) -> None:
    road.run()
    assert store_profile.shop(connector(road).store_facts).decimals == 2
    assert store_profile.shop(connector(road).store_facts).locale == "en_US"


def test_a_refund_leaves_the_tag_that_another_completed_order_deserves(road: Road) -> None:
    kept = road.order(ANNA, line_items=MUG)
    other = road.order(ANNA, line_items=MUG)
    road.run()
    completed = "mug_completed"
    assert completed in tags(road)
    road.store.shop.refund(other["id"], other["total"])
    road.run("full")
    assert completed in tags(road)
    before = road.writes()
    run = road.run("full")
    assert (road.writes() - before, run.pushed) == (0, 0)
    road.store.shop.refund(kept["id"], kept["total"])
    road.run("full")
    assert completed not in tags(road)


def test_products_that_are_known_stay_known_when_orders_are_read_without_lines(road: Road) -> None:
    order, empty = road.order(ANNA, line_items=MUG), road.order(ANNA)
    road.run()
    known = products(road)
    assert known == {order["id"]: [["Mug", "", 0]], empty["id"]: []}
    pending = road.order(ANNA, status="pending")
    road.run("full")
    assert products(road) == known | {pending["id"]: None}


def as_the_first_version_left_it(road: Road, new: str, former: str) -> None:
    """Give Anna's contact, and what is remembered of it, the former spelling of a tag."""
    state = road.mautic.state
    given = contact(road).tags
    given[given.index(state.tag_id(new))] = state.tag_id(former)
    with road.services.db.write() as session:
        link = session.scalars(select(ContactLink)).one()
        link.fields = {key.replace(f"tag:{new}", f"tag:{former}"): value for key, value in link.fields.items()}


def test_a_tag_of_the_first_version_gives_way_to_wordpresss_spelling_once(road: Road) -> None:
    road.order(ANNA, line_items=[{"name": "Gift card €50", "quantity": 1, "total": "50.00"}])
    road.run()
    as_the_first_version_left_it(road, "gift-card-e50_completed", "gift-card-50_completed")
    assert tags(road) == ["gift-card-50_completed"]
    road.run("full")
    assert tags(road) == ["gift-card-e50_completed"]
    before = road.writes()
    road.run("full")
    assert road.writes() == before
