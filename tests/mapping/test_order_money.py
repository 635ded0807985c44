"""The money and the days of an order: the currency's decimals, the shop's zone."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from integration.mapping import orders
from integration.plans import Lifetime, Note, SendEmail
from integration.records import LineItem, Order
from tests.mapping import samples
from tests.mapping.order_plans import modules, planned


def json_of(order: Order, **changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(str(planned(order, **changes).contact.fields["mautic_woo_order_data"]))
    return data


@pytest.mark.parametrize(
    ("currency", "total", "price", "shown"),
    [
        ("EUR", "17.17", "17.169999999999998", ("17.17", "17.17")),
        ("EUR", "0.00", "1.4e-17", ("0.00", "0.00")),
        ("KWD", "12.345", "12.3449999", ("12.345", "12.345")),
        ("JPY", "5000.00", "2500", ("5000", "2500")),
        ("", "5", "5", ("5.00", "5.00")),
    ],
)
def test_money_has_the_currencys_decimals_in_data_note_and_email(
    currency: str, total: str, price: str, shown: tuple[str, str]
) -> None:
    item = LineItem("Mug", price=Decimal(price), total=Decimal(total))
    order = replace(
        samples.order(), currency=currency, total=Decimal(total), discount_total=Decimal(price), items=(item,)
    )
    settings = modules(notes=True, emails={"completed": 7})
    made = planned(order, settings, shop_currency="EUR")
    data = json.loads(str(made.contact.fields["mautic_woo_order_data"]))
    assert (data["total"], data["items"][0]["price"], data["discount_total"]) == (*shown, shown[1])
    note, mail = made.follow_ups
    assert isinstance(note, Note) and isinstance(mail, SendEmail)
    code = currency or "EUR"
    assert f"– {shown[0]} {code}</li>" in note.text and f"Total {shown[0]} {code}" in note.text
    assert (mail.tokens["total"], mail.tokens["currency"]) == (shown[0], code)


def test_the_shops_own_decimals_hold_for_its_currency_only() -> None:
    shop = orders.Shop(decimals=4)
    order = replace(samples.order(), currency="EUR", total=Decimal("0.0125"))
    assert json_of(order, shop_currency="EUR", shop=shop)["total"] == "0.0125"
    assert json_of(replace(order, currency="USD"), shop_currency="EUR", shop=shop)["total"] == "0.01"


def test_an_order_without_a_currency_has_the_shops() -> None:
    assert json_of(replace(samples.order(), currency=""), shop_currency="KWD")["currency"] == "KWD"
    assert json_of(replace(samples.order(), currency=""))["currency"] == ""


def test_lifetime_values_have_the_currencys_decimals_and_the_shops_days() -> None:
    life = replace(samples.lifetime("1000.3334", 3), currency="KWD", first_day="2026-01-06", last_day="2026-03-08")
    fields = planned(samples.order(), latest=False, lifetime=life).contact.fields
    assert (fields["mautic_woo_total_spent"], fields["mautic_woo_avg_order_value"]) == (1000.333, 333.444)
    assert (fields["mautic_woo_first_order_date"], fields["mautic_woo_last_order_date"]) == ("2026-01-06", "2026-03-08")
    yen = planned(samples.order(), latest=False, lifetime=replace(life, currency="JPY")).contact.fields
    assert (yen["mautic_woo_total_spent"], yen["mautic_woo_avg_order_value"]) == (1000, 333)


def test_orders_that_cannot_be_added_up_leave_the_lifetime_values_out_and_it_is_said() -> None:
    made = planned(samples.order(), latest=False, lifetime=Lifetime(unsure=("EUR", "JPY")))
    assert made.contact.fields == {}
    (said,) = made.adjustments
    assert "EUR, JPY" in said.sentence
    assert "until the shop's currency is known" in said.sentence
