"""Parsing: the store's records as it really sends them, and anything else without a crash."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from integration.errors import MappingError
from integration.events import Origin
from integration.identity import person_key_of
from integration.store import parse
from integration.store.sanitizing import INTEGER_MAX, is_number

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

ORDER: dict[str, Any] = {
    "id": 94,
    "number": "WC-94",
    "status": "completed",
    "currency": "eur",
    "total": "2967.36",
    "discount_total": "",
    "customer_id": 0,
    "billing": {"first_name": "Chloé", "email": "GUEST.1@EXAMPLE.NET", "country": "IT", "state": None},
    "payment_method_title": "Cash &amp; carry",
    "line_items": [
        {"name": "Mug &amp; cup", "product_id": 0, "sku": None, "price": 9.5, "quantity": 1.5, "total": "14.25"}
    ],
    "refunds": [{"id": 1, "total": "-10.50"}, {"id": 2, "total": "-0.50"}],
    "coupon_lines": [{"code": "save10"}],
    "date_created": "2024-11-21T09:49:07",
    "date_created_gmt": "2024-11-21T08:49:07",
    "date_modified_gmt": "2024-11-24T12:57:51",
    "date_paid_gmt": None,
    "meta_data": [{"key": "a", "value": [1]}, {"key": "a", "value": {"x": 1}}, {"no": "key"}, "nonsense"],
}


def test_an_order_is_read_with_exact_money_and_utc_dates() -> None:
    order = parse.order(ORDER)
    assert (order.total, order.refunds, order.net_total) == (
        Decimal("2967.36"),
        (Decimal("10.50"), Decimal("0.50")),
        Decimal("2956.36"),
    )
    assert order.created_at == datetime(2024, 11, 21, 8, 49, 7, tzinfo=UTC)
    assert (order.local_date, order.currency, order.discount_total) == ("2024-11-21", "EUR", Decimal(0))
    assert order.items[0].name == "Mug & cup"
    assert (order.items[0].sku, order.items[0].quantity) == ("", Decimal("1.5"))
    assert order.meta == {"a": {"x": 1}}


def test_what_waits_in_the_book_reads_the_same() -> None:
    slim = parse.slim_order(ORDER)
    assert parse.order(slim) == parse.order({**ORDER, "meta_data": []})
    assert "meta_data" not in slim


def test_account_names_are_decoded_once() -> None:
    raw = {"id": 5, "email": "a@example.com", "first_name": "Smith &amp; Sons", "last_name": "&amp;amp;"}
    customer = parse.customer(raw)
    assert (customer.first_name, customer.last_name, customer.role) == ("Smith & Sons", "&amp;", "customer")


def test_an_account_without_address_is_its_billing_address() -> None:
    raw = {"id": 5, "email": "", "billing": {"email": "a&b@example.com"}}
    same = parse.customer_change({"id": 6, "email": "A&B@example.com "}, Origin.POLL, NOW, created=False)
    assert parse.customer_change(raw, Origin.POLL, NOW, created=True).person_key == same.person_key


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("total", "many", "bad_amount"),
        ("total", "NaN", "bad_amount"),
        ("total", True, "bad_amount"),
        ("total", "1e400", "bad_amount"),
        ("total", "9" * 60, "bad_amount"),
        ("date_created_gmt", "yesterday", "bad_date"),
        ("id", 0, "no_id"),
        ("id", None, "no_id"),
        ("id", 2**63, "bad_number"),
        ("status", "x" * 41, "bad_text"),
        ("status", "\ud800", "bad_text"),
        ("currency", "ß" * 6, "bad_text"),
        ("total", ["1.00"], "bad_amount"),
        ("refunds", [{"id": 1, "total": "much"}], "bad_amount"),
        ("refunds", ["-5.00"], "bad_shape"),
        ("billing", "Ada", "bad_shape"),
        ("billing", {"email": {"x": 1}}, "bad_shape"),
        ("status", True, "bad_shape"),
        pytest.param("total", 10**5000, "bad_amount", id="an amount of five thousand digits"),
        ("date_modified_gmt", "0001-01-01T00:00:00", "bad_date"),
        ("date_modified_gmt", "9999-12-31T23:59:59-23:00", "bad_date"),
    ],
)
def test_what_cannot_be_read_names_its_field(field: str, value: Any, code: str) -> None:
    with pytest.raises(MappingError) as caught:
        parse.order({**ORDER, field: value})
    assert caught.value.code == code
    assert field in caught.value.sentence or field == "id"


def test_what_waits_in_the_book_holds_only_what_every_database_takes() -> None:
    deep: Any = "end"
    for _ in range(50):
        deep = [deep]
    raw = {**ORDER, "total": float("inf"), "customer_id": 10**30, "discount_total": deep}
    raw["billing"] = {"first_name": "A\x00da", "email": "a\ud83d@example.com"}
    slim = parse.slim_order(raw)
    text = json.dumps(slim, allow_nan=False, ensure_ascii=False)
    text.encode()
    assert "\x00" not in text
    assert (slim["total"], slim["customer_id"]) == ("inf", str(10**30))
    assert "end" not in text
    assert slim["billing"] == {"first_name": "A\ufffdda", "email": "a\ufffd@example.com"}


def test_what_goes_into_columns_is_cut_to_them() -> None:
    raw = {**ORDER, "id": 10**30, "number": "n" * 99, "status": "s" * 99}
    change = parse.order_change(raw, Origin.POLL, NOW)
    assert (change.source_id, change.number, change.event) == (f"?{10**30}", "n" * 60, "s" * 40)


def test_every_spelling_of_an_odd_address_is_one_person() -> None:
    assert parse.order_change({**ORDER, "billing": {"email": "A\ud83d@x.com"}}, Origin.POLL, NOW).person_key
    assert person_key_of("A\ud83d@x.com") == person_key_of(" a\ud83d@X.com")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ORDER, "x"]), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(list(ORDER)), _JSON))
def test_no_record_makes_the_parser_raise_anything_but_a_mapping_error(raw: dict[str, Any]) -> None:
    for read in (parse.order, parse.customer, parse.slim_order, parse.slim_customer):
        try:
            read(raw)
        except MappingError as error:
            assert error.sentence.endswith(".")


@pytest.mark.parametrize("rest", [1.4e-17, "1.4e-17", "-1.4E-17", 5e-324, "0.000000000000000000"])
def test_a_rest_of_phps_floats_is_nothing(rest: object) -> None:
    order = parse.order({**ORDER, "discount_total": rest, "line_items": [{"name": "Mug", "price": rest}]})
    assert (order.discount_total, order.items[0].price) == (0, 0)


def test_an_order_read_without_its_lines_does_not_say_that_it_has_none() -> None:
    slim = parse.slim_order({name: value for name, value in ORDER.items() if name != "line_items"})
    assert not parse.order(slim).lines_read
    assert parse.order(parse.slim_order(ORDER)).lines_read


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("7", True),
        (str(INTEGER_MAX), True),
        (str(INTEGER_MAX + 1), False),
        ("9" * 5000, False),
        ("²", False),
        ("", False),
        ("-1", False),
    ],
)
def test_an_id_is_a_number_that_the_columns_hold(text: str, is_one: bool) -> None:
    assert is_number(text) is is_one
