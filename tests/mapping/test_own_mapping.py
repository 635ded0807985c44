"""A person's own mapping rows: paths, conditions, defaults, made values, and what the store is asked for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from integration.events import Kind, Origin
from integration.mapping import contacts, field_map, orders
from integration.mapping.follow_ups import Sighting
from integration.mapping.own_values import Look, own_values
from integration.mapping.paths import inside
from integration.plans import Plan
from integration.records import Cart, CartLine, Customer, Order
from integration.settings import Modules
from integration.store import mapped_values, parse, reading
from integration.store.asked import Asked
from integration.streams import asked
from tests.mapping.own_rows import modules, row

SEEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
RAW = {
    "id": 7,
    "number": "A-7",
    "status": "completed",
    "currency": "EUR",
    "total": "20.00",
    "customer_note": "Ring &amp; wait",
    "billing": {"email": "ada@example.com", "first_name": "Ada", "city": "Roma"},
    "shipping": {"city": "Torino"},
    "line_items": [
        {"name": "Teapot", "sku": "T1", "quantity": 2, "price": 5},
        {"name": "Cup", "sku": "", "quantity": 1, "price": 10},
    ],
    "meta_data": [
        {"key": "_vat", "value": {"number": "IT1", "countries": ["IT", "SM"]}},
        {"key": "_a.b", "value": "dotted"},
        {"key": "_packed", "value": '{"deep": [{"n": 1}, {"n": 2}]}'},
        {"key": "_birth", "value": "19801231"},
    ],
}


def asked_by(settings: Modules, kind: Kind = Kind.ORDER) -> Asked:
    return asked.by(settings)[kind]


def order_of(settings: Modules, raw: Mapping[str, Any] = RAW) -> Order:
    return parse.order(parse.order_change(asked_by(settings).kept(raw), Origin.POLL, SEEN).payload)


def sent(*rows: Mapping[str, Any], raw: Mapping[str, Any] = RAW) -> dict[str, Any]:
    settings = modules(*rows)
    return dict(own_values(order_of(settings, raw), Kind.ORDER, settings).values)


def planned(settings: Modules, record: Order, **more: Any) -> Plan:
    given: dict[str, Any] = {"lifetime": None, "latest": True, "known": True, "seen": Sighting(None, True), **more}
    made = orders.plan(record, settings, **given)
    assert isinstance(made, Plan)
    return made


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("shipping.city", "Torino"),
        ("line_items.0.name", "Teapot"),
        ("line_items.name", ["Teapot", "Cup"]),
        ("line_items.9.name", None),
        ("line_items.99999999999.name", None),
        ("meta_data._vat.number", "IT1"),
        ("meta_data._vat.countries.1", "SM"),
        ("meta_data._a.b", "dotted"),
        ("meta_data._packed.deep.n", [1, 2]),
        ("meta_data._packed.deep.0.n.further", None),
        ("meta_data._nothing", None),
        ("nothing.at.all", None),
    ],
)
def test_a_path_leads_into_lists_maps_meta_data_and_json(path: str, value: Any) -> None:
    assert mapped_values.values(RAW, [path]) == {path: value}


def test_an_empty_path_is_the_value_itself() -> None:
    assert inside({"a": 1}, "") == {"a": 1}


def test_an_unfit_value_is_left_out_and_said() -> None:
    settings = modules(row("shipping.city", format="date"))
    made = own_values(order_of(settings), Kind.ORDER, settings)
    assert made.values == {}
    assert [each.sentence for each in made.adjustments] == ["“Torino” is no date, so “position” was left out."]


@pytest.mark.parametrize(
    ("condition", "path", "value", "holds"),
    [
        ("equals", "shipping.city", "torino", True),
        ("equals", "shipping.city", "tor", False),
        ("contains", "shipping.city", "ORI", True),
        ("contains", "line_items.sku", "t1", True),
        ("contains", "made.coupons", "x", False),
        ("is_set", "meta_data._vat", "", True),
        ("is_set", "meta_data._nothing", "", False),
        ("not_set", "meta_data._nothing", "", True),
        ("not_set", "billing.city", "", False),
    ],
)
def test_a_row_with_a_condition_is_used_where_it_holds(condition: str, path: str, value: str, holds: bool) -> None:
    given = row("customer_note", condition=condition, condition_path=path, condition_value=value)
    assert sent(given) == ({"position": "Ring & wait"} if holds else {})


def test_of_several_rows_for_one_field_the_first_that_holds_gives_the_value() -> None:
    first = row("shipping.city", condition="equals", condition_path="shipping.city", condition_value="Milano")
    assert sent(first, row("billing.city")) == {"position": "Roma"}
    assert sent({**first, "condition_value": "Torino"}, row("billing.city")) == {"position": "Torino"}


def test_a_blank_value_keeps_the_field_empties_it_or_takes_the_default() -> None:
    assert sent(row("meta_data._nothing")) == {}
    assert sent(row("meta_data._nothing", empties=True)) == {"position": ""}
    assert sent(row("meta_data._nothing", default="None", empties=True)) == {"position": "None"}
    assert sent(row("made.coupons", default="None")) == {"position": "None"}


def test_values_are_made_of_the_whole_record() -> None:
    rows = [
        row("made.items_text", "a"),
        row("made.item_count", "b"),
        row("made.item_skus", "c", format="list", argument="|"),
        row("made.order_number", "d"),
        row("made.net_total", "e"),
        row("made.item_names", "f", format="json"),
    ]
    assert sent(*rows) == {
        "a": "2 × Teapot, 1 × Cup",
        "b": 3,
        "c": "T1",
        "d": "A-7",
        "e": "20.00",
        "f": '["Teapot","Cup"]',
    }
    cart = Cart(1, "a@example.com", "EUR", Decimal(20), (CartLine("Teapot", 3, price=Decimal(20)),))
    settings = modules(
        row("made.items_text", "a", "abandoned_cart"),
        row("lines.name", "b", "abandoned_cart", format="list"),
        row("total", "c", "abandoned_cart", format="number"),
    )
    assert own_values(cart, Kind.CART, settings).values == {"a": "1 × Teapot", "b": "Teapot", "c": "20"}
    person = Customer(1, "a@example.com", "Ada", "", created_at=SEEN)
    settings = modules(row("made.full_name", "a", "contact"), row("made.registered_on", "b", "contact"))
    assert own_values(person, Kind.CONTACT, settings).values == {"a": "Ada", "b": "2026-11-20"}


def test_what_was_not_asked_of_the_store_leaves_mautic_as_it_is() -> None:
    settings = modules(row("meta_data._vat", default="None"), row("shipping.city", "city"))
    old = parse.order(parse.order_change(RAW, Origin.POLL, SEEN).payload)
    assert own_values(old, Kind.ORDER, settings).values == {}
    assert Look(old).at(field_map.own(Kind.ORDER, settings)[0]).how == "unread"


def test_a_kept_payload_is_slimmed_again_without_losing_what_was_mapped() -> None:
    settings = modules(row("meta_data._vat.number"))
    once = parse.order_change(asked_by(settings).kept(RAW), Origin.POLL, SEEN)
    again = parse.order_change(asked_by(settings).kept(once.payload), Origin.POLL, SEEN)
    assert again.payload == once.payload
    assert again.payload["mapped"] == {"meta_data._vat.number": "IT1"}


def test_the_store_is_asked_for_what_own_rows_look_at_and_for_nothing_else() -> None:
    settings = modules(
        row("meta_data._vat"),
        row("billing.city", "city", condition="is_set", condition_path="shipping_lines.0.method_title"),
        row("avatar_url", kind="contact"),
        row("made.items_text", "a"),
    )
    plain = set(reading.order_fields().split(","))
    assert asked_by(settings).paths == ("meta_data._vat", "shipping_lines.0.method_title")
    assert set(reading.order_fields(asked_by(settings)).split(",")) - plain == {"meta_data", "shipping_lines"}
    assert "avatar_url" in reading.customer_fields(asked_by(settings, Kind.CONTACT)).split(",")


def test_a_huge_value_is_not_kept_whole() -> None:
    huge = {"meta_data": [{"key": "k", "value": "x" * 100_000}, {"key": "l", "value": ["y" * 100] * 900}]}
    found = mapped_values.values(huge, ["meta_data.k", "meta_data.l"])
    assert (len(found["meta_data.k"]), found["meta_data.l"]) == (65_535, None)


def test_an_own_row_goes_before_the_fixed_one_and_where_it_gives_nothing_that_one_is_sent() -> None:
    settings = modules(row("shipping.city", "city"))
    assert planned(settings, order_of(settings)).contact.fields["city"] == "Torino"
    bare = {**RAW, "shipping": {}}
    assert planned(settings, order_of(settings, bare)).contact.fields["city"] == "Roma"
    own = modules(row("billing.city", "city", "contact", format="upper"))
    person = parse.customer({"id": 3, "email": "a@example.com", "billing": {"city": "Roma"}})
    made = contacts.plan(person, own.contacts, mapping=own.mapping)
    assert isinstance(made, Plan)
    assert made.contact.fields["city"] == "ROMA"


def test_only_the_newest_order_writes_own_fields_and_an_older_one_leaves_them_alone() -> None:
    settings = modules(row("shipping.city", "city"))
    older = planned(settings, order_of(settings), latest=False, named=True)
    assert "city" not in older.contact.fields
    assert older.contact.fields["zipcode"] == ""


def test_rows_of_another_kind_are_not_looked_at() -> None:
    settings = modules(row("shipping.city", kind="contact"))
    assert own_values(order_of(modules()), Kind.ORDER, settings).values == {}
