"""The plan of an order: which orders are sent (P30, P31, P41), data (P32), tags (P33 to P37), lifetime values (P38)."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integration.errors import MappingError
from integration.mapping import orders
from integration.mapping.order_data import shortened
from integration.plans import Plan, Skip
from integration.records import LineItem, Order
from integration.settings import Modules
from tests.mapping import samples
from tests.mapping.order_plans import modules, plan, planned


def skipped(order: Order, settings: Modules | None = None, **changes: Any) -> Skip:
    made = plan(order, settings, **changes)
    assert isinstance(made, Skip)
    assert made.sentence.endswith(".")
    return made


LIFETIME = {
    "mautic_woo_total_spent": 120.5,
    "mautic_woo_order_count": 2,
    "mautic_woo_avg_order_value": 60.25,
    "mautic_woo_first_order_date": "2026-01-05",
    "mautic_woo_last_order_date": "2026-03-07",
}


def test_p30_a_module_that_is_off_sends_nothing():
    assert skipped(samples.order(), modules(enabled=False)).code == "module_off"


def test_p31_a_status_that_is_not_synced_is_skipped_and_says_where_to_change_it():
    skip = skipped(samples.order("processing"))
    assert skip.code == "status_not_synced"
    assert "“processing”" in skip.sentence and "Order Sync" in skip.sentence


def test_p31_custom_statuses_can_be_synced():
    made = planned(samples.order("shipped"), modules(statuses=("shipped",)))
    assert all(tag.endswith("_shipped") for tag in made.contact.tags)


def test_p31_p38_a_status_that_is_not_synced_still_updates_the_lifetime_values_of_a_known_person():
    made = planned(samples.order("processing"), modules(notes=True, general_tags=("x",)), known=True)
    assert made.contact.fields == LIFETIME
    assert (made.contact.tags, made.follow_ups) == ((), ())


def test_p32_the_latest_order_is_written_as_json():
    data = json.loads(str(planned(samples.order("odd_coupon")).contact.fields["mautic_woo_order_data"]))
    assert list(data) == [
        *("order_id", "status", "total", "discount_total", "coupons"),
        *("currency", "date", "payment_method", "items"),
    ]
    assert data["order_id"] == 113
    assert (data["status"], data["total"], data["currency"]) == ("completed", "4.68", "EUR")
    assert data["coupons"] == ["sconto-è-ü"]
    assert list(data["items"][0]) == ["name", "sku", "price", "qty"]
    assert data["date"] == samples.order("odd_coupon").local_date


def test_p32_an_order_that_is_not_the_latest_writes_neither_data_nor_address():
    assert planned(samples.order(), latest=False).contact.fields == LIFETIME


def test_p32_switched_off_no_data_goes():
    assert "mautic_woo_order_data" not in planned(samples.order(), modules(order_data=False)).contact.fields


def test_p32_sixty_items_are_dropped_from_the_end_until_the_json_fits():
    order = replace(samples.order("sixty_items"), status="completed")
    whole = str(planned(order).contact.fields["mautic_woo_order_data"])
    text, dropped = shortened(whole, 1000)
    assert text is not None and len(text) <= 1000
    data = json.loads(text)
    assert len(data["items"]) + dropped == 60
    assert data["items_left_out"] == dropped
    assert data["items"] == json.loads(whole)["items"][: len(data["items"])]
    longer, fewer = shortened(whole, 1000 + len(json.dumps(data["items"][-1])) + 10)
    assert longer is not None and fewer < dropped


def test_p32_html_in_a_product_name_cannot_break_the_json_in_mautics_filters():
    order = replace(samples.order("no_items"), items=(LineItem("Mug <3 & <b>more</b>", sku="M"),))
    text = str(planned(order).contact.fields["mautic_woo_order_data"])
    assert not set("<>&") & set(text)
    assert json.loads(text)["items"][0]["name"] == "Mug <3 & <b>more</b>"


def test_address_and_names_of_the_latest_order_go_to_the_contact():
    fields = planned(samples.order()).contact.fields
    assert fields["country"] == "Italy" and fields["state"] == "Milano"
    assert fields["firstname"] == samples.order().billing.first_name


def test_p12_p13_the_switches_of_contact_sync_hold_for_orders_too():
    settings = Modules().with_value("contacts.billing", "no").with_value("contacts.phone", "no")
    fields = planned(samples.order(), settings).contact.fields
    assert not {"country", "city", "address1", "phone"} & set(fields)


def test_p33_products_are_tagged_by_sku_and_status():
    order = replace(samples.order("no_items"), items=(LineItem("Shirt", 5, sku="TS.01 A"), LineItem("Blue Mug", 6)))
    assert planned(order).contact.tags == ("ts-01-a_completed", "blue-mug_completed")


def test_p33_switched_off_only_general_tags_go():
    settings = modules(product_tags=False, general_tags=("buyer",))
    assert planned(samples.order(), settings).contact.tags == ("buyer",)


def test_p34_without_sku_the_product_id_leads_the_tag_when_chosen():
    order = replace(samples.order("no_items"), items=(LineItem("Shirt", 5, sku="TS"), LineItem("Blue Mug", 6)))
    assert planned(order, modules(product_id_tags=True)).contact.tags == ("ts_completed", "6_blue-mug_completed")


def test_p34_a_deleted_product_has_no_id_to_lead():
    order = replace(samples.order("no_items"), items=(LineItem("Blue Mug", 0),))
    assert planned(order, modules(product_id_tags=True)).contact.tags == ("blue-mug_completed",)


def test_p36_general_tags_are_added_once():
    settings = modules(general_tags=("Buyer", "Buyer", "-x"), product_tags=False)
    assert planned(samples.order(), settings).contact.tags == ("Buyer", "x")


def test_p37_a_refund_removes_the_completed_tag_of_its_products():
    order = replace(samples.order("refund_full"), items=(LineItem("Mug", 1, sku="M"), LineItem("Mug", 1, sku="M")))
    assert planned(order, modules(remove_completed_tag=True)).contact.tags == ("m_refunded", "-m_completed")
    assert planned(order).contact.tags == ("m_refunded",)


def test_p37_a_cancelled_order_of_a_known_person_loses_the_tag_though_its_status_is_not_synced():
    order = replace(samples.order("cancelled"), items=(LineItem("Mug", 1, sku="M"),))
    settings = modules(remove_completed_tag=True)
    assert planned(order, settings, known=True).contact.tags == ("-m_completed",)
    assert skipped(order, settings, known=False).code == "status_not_synced"


def test_p38_lifetime_values_are_numbers_and_days():
    fields = planned(samples.order(), latest=False).contact.fields
    assert fields == LIFETIME


def test_p38_switched_off_no_lifetime_values_go():
    assert not set(LIFETIME) & set(planned(samples.order(), modules(lifetime=False)).contact.fields)


def test_p38_orders_in_other_currencies_are_said():
    made = planned(samples.order(), lifetime=samples.lifetime(others=2), shop_currency="EUR")
    said = [a.sentence for a in made.adjustments if a.field == "mautic_woo_total_spent"]
    assert len(said) == 1 and "2 paid orders" in said[0] and "EUR" in said[0]


@pytest.mark.parametrize(("texts", "goes"), [(("ts-",), True), (("other",), False), ((), True), (("", " "), True)])
def test_p41_only_orders_with_a_matching_sku_pass_the_filter(texts, goes):
    order = replace(samples.order("no_items"), items=(LineItem("Shirt", sku="TS-01"), LineItem("Mug")))
    made = plan(order, modules(sku_filter=texts))
    assert isinstance(made, Plan) is goes
    assert goes or (isinstance(made, Skip) and made.code == "sku_filter")


def test_a_draft_is_skipped():
    assert skipped(samples.order("draft"), modules(statuses=("checkout-draft",))).code == "draft"


def test_an_order_without_email_is_skipped():
    assert skipped(samples.order("no_email"), modules(statuses=("cancelled",))).code == "no_email"


def test_an_order_without_status_cannot_be_mapped():
    with pytest.raises(MappingError) as caught:
        plan(replace(samples.order(), status=""))
    assert caught.value.code == "order_unnamed"


def test_a_trashed_order_of_a_known_person_only_updates_the_lifetime_values():
    made = planned(samples.order("trash"), known=True)
    assert made.contact.fields == LIFETIME
    assert skipped(samples.order("trash")).code == "removed"


def test_a_deleted_order_of_a_known_person_only_updates_the_lifetime_values():
    made = orders.removal(" a@example.com ", Modules(), lifetime=samples.lifetime(), known=True)
    assert isinstance(made, Plan)
    assert (made.contact.email, made.contact.fields) == ("a@example.com", LIFETIME)


def test_a_known_person_needs_no_address_for_the_lifetime_values():
    made = orders.removal("", Modules(), lifetime=samples.lifetime(), known=True)
    assert isinstance(made, Plan)
    assert (made.contact.email, made.contact.fields) == ("", LIFETIME)


@pytest.mark.parametrize(
    ("status", "since", "tags"),
    [
        ("completed", "", ("mug_completed",)),
        ("completed", "processing", ("mug_completed",)),
        ("completed", "refunded", ()),
        ("refunded", "", ("mug_refunded", "-mug_completed")),
        ("refunded", "completed", ("mug_refunded",)),
        ("refunded", "cancelled", ("mug_refunded", "-mug_completed")),
    ],
)
def test_p37_an_older_sighting_leaves_the_completed_tag_to_the_newer_one(status, since, tags):
    order = replace(samples.order("kwd"), status=status, items=(LineItem("Mug"),))
    assert orders.tags(order, modules(remove_completed_tag=True).orders, since) == tags


@pytest.mark.parametrize(
    ("email", "settings", "lifetime", "known", "code"),
    [
        ("a@example.com", Modules(), samples.lifetime(), False, "removed"),
        ("a@example.com", Modules(), None, True, "removed"),
        ("a@example.com", modules(lifetime=False), samples.lifetime(), True, "removed"),
        ("", Modules(), samples.lifetime(), False, "removed"),
        ("a@example.com", modules(enabled=False), samples.lifetime(), True, "module_off"),
    ],
)
def test_a_deleted_order_with_nothing_to_change_is_skipped(email, settings, lifetime, known, code):
    made = orders.removal(email, settings, lifetime=lifetime, known=known)
    assert isinstance(made, Skip) and made.code == code


@pytest.mark.parametrize("name", sorted(samples.orders()))
def test_every_recorded_order_gives_a_plan_or_a_reason(name):
    statuses = ("completed", "refunded", "processing", "on-hold", "cancelled", "shipped")
    made = plan(samples.order(name), modules(statuses=statuses, notes=True, emails=dict.fromkeys(statuses, 1)))
    assert isinstance(made, Plan | Skip)
    if isinstance(made, Plan):
        assert json.loads(str(made.contact.fields["mautic_woo_order_data"]))["total"]


def test_money_of_a_currency_with_three_decimals_keeps_them():
    order = replace(samples.order("kwd"), total=Decimal("47.825"), status="completed")
    assert json.loads(str(planned(order).contact.fields["mautic_woo_order_data"]))["total"] == "47.825"
