"""PHP's empties and shapes in recorded records: what decides is read or named, what decorates never blocks."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings, strategies as st

from integration.errors import MappingError, ServerFault
from integration.http.transport import Answer
from integration.records import Customer, Order
from integration.store import parse
from integration.store.meta_data import meta
from integration.store.php_values import decoded, is_nothing, whole
from integration.store.rows import rows_of, sifted

DATA = Path(__file__).parent.parent / "mapping" / "data"
ORDERS: list[dict[str, Any]] = list(json.loads((DATA / "orders.json").read_text("utf-8")).values())
CUSTOMERS: list[dict[str, Any]] = list(json.loads((DATA / "customers.json").read_text("utf-8")).values())
HUGE = "x" * 100_000
ODD: list[Any] = [None, False, True, "", " ", [], {}, 0, "0", 1.5, -1, "&amp;", HUGE, [1], {"a": 1}, "<b>x</b>"]
#: An order whose value here cannot be read is refused; anything else of it only decorates.
DECIDES = ("id", "status", "currency", "total", "refunds", "billing", "date_created_gmt", "date_modified_gmt")

Path_ = tuple[Any, ...]


def paths(value: Any, before: Path_ = ()) -> Iterator[Path_]:
    """Yield the way to each value of a record."""
    if before:
        yield before
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from paths(each, (*before, name))


def at(row: Any, path: Path_) -> Any:
    for name in path:
        row = row[name]
    return row


def turned(value: Any) -> Any:
    """Return a list as PHP's map with holes, a map as the only entry of a list, another value as one of a list."""
    if isinstance(value, list):
        return {str(3 * number + 1): entry for number, entry in enumerate(value)}
    return [value]


def changed(row: Any, path: Path_, value: Any) -> Any:
    made = copy.deepcopy(row)
    at(made, path[:-1])[path[-1]] = value
    return made


@st.composite
def variants(draw: st.DrawFn, rows: list[dict[str, Any]]) -> tuple[dict[str, Any], Path_, dict[str, Any]]:
    row = draw(st.sampled_from(rows))
    path = draw(st.sampled_from(sorted(paths(row), key=str)))
    value = draw(st.sampled_from([*ODD, turned(at(row, path))]))
    return row, path, changed(row, path, value)


def slimmed(order: Order) -> Order:
    """Return an order without what is not kept while it waits."""
    return replace(order, meta={})


@settings(max_examples=600, deadline=None)
@given(variants(ORDERS))
def test_an_odd_value_in_an_order_is_named_or_taken_for_nothing(
    made: tuple[dict[str, Any], Path_, dict[str, Any]],
) -> None:
    row, path, odd = made
    try:
        order = parse.order(odd)
    except MappingError as error:
        assert path[0] in DECIDES and (path[0] in error.sentence or path == ("id",))
        with pytest.raises(MappingError):
            parse.order(parse.slim_order(odd))
        return
    assert slimmed(parse.order(parse.slim_order(odd))) == slimmed(order)
    if path[0] not in ("total", "refunds"):
        assert order.net_total == parse.order(row).net_total
    if path[0] not in ("billing", "id"):
        assert order.email == parse.order(row).email


@settings(max_examples=300, deadline=None)
@given(variants(CUSTOMERS))
def test_an_odd_value_in_a_customer_never_blocks_it(made: tuple[dict[str, Any], Path_, dict[str, Any]]) -> None:
    _, path, odd = made
    try:
        person = parse.customer(odd)
    except MappingError:
        assert path == ("id",)
        return
    again = parse.customer(parse.slim_customer(odd))
    assert replace(again, meta={}) == replace(person, meta={})


@settings(max_examples=200, deadline=None)
@given(variants(ORDERS), st.booleans())
def test_an_odd_order_loses_no_neighbour(made: tuple[dict[str, Any], Path_, dict[str, Any]], as_map: bool) -> None:
    _, path, odd = made
    first, last = {**ORDERS[0], "id": 900_001}, {**ORDERS[1], "id": 900_002}
    entries = turned([first, odd, last]) if as_map else [first, odd, last]
    rows, lost = sifted(rows_of(entries, cast(Answer, None)))
    assert {900_001, 900_002} <= {row["id"] for row in rows}
    assert not lost or (path == ("id",) and lost == [1])


EXACT = ORDERS[0] | {"total": "100.00", "refunds": [{"id": 1, "total": "-5.00"}, {"id": 2, "total": "-0.50"}]}


@pytest.mark.parametrize(
    ("path", "value", "net"),
    [
        (("refunds",), {"1": {"id": 1, "total": "-5.00"}, "4": {"id": 2, "total": "-0.50"}}, "94.50"),
        (("refunds",), {"id": 1, "total": "-5.00"}, "95.00"),
        (("refunds",), False, "100.00"),
        (("refunds",), "", "100.00"),
        (("refunds",), [None, {"id": 1, "total": -5}], "95.00"),
        (("refunds", 0, "total"), False, "99.50"),
        (("refunds", 0, "total"), 1.4e-17, "99.50"),
        (("total",), " ", "0"),
        (("total",), [], "0"),
    ],
)
def test_sums_are_what_php_means(path: Path_, value: Any, net: str) -> None:
    assert parse.order(changed(EXACT, path, value)).net_total == Decimal(net)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("discount_total",), "abc"),
        (("line_items", 0, "price"), "12,x"),
        (("line_items", 0, "quantity"), [1]),
        (("date_completed_gmt",), "garbage"),
        (("date_created",), "soon"),
        (("number",), "9" * 300),
        (("number",), "\ud83d"),
        (("line_items",), [ORDERS[0]["line_items"][0], "a mug"]),
        (("billing", "city"), {"x": 1}),
        (("coupon_lines",), ["save10"]),
    ],
)
def test_what_decorates_and_cannot_be_read_is_named(path: Path_, value: Any) -> None:
    unread = parse.order(changed(EXACT, path, value)).unread
    assert unread == (".".join(name for name in path if isinstance(name, str)),)


def test_lines_as_a_map_and_whole_numbers_as_floats_are_read() -> None:
    lines = {"7": {"name": "Mug", "product_id": 12.0, "quantity": "2", "price": False}}
    order = parse.order(EXACT | {"line_items": lines, "customer_id": 11.0, "coupon_lines": {"3": {"code": "save10"}}})
    [line] = order.items
    assert (line.name, line.product_id, line.quantity, line.price) == ("Mug", 12, 2, 0)
    assert (order.customer_id, order.coupons, order.unread) == (11, ("save10",), ())


def test_meta_data_are_read_as_rows_and_as_a_map() -> None:
    for rows in ([{"key": "a", "value": 1}], {"5": {"key": "a", "value": 1}}, {"a": 1}, {"key": "a", "value": 1}):
        assert meta({"meta_data": rows}) == {"a": 1}


def test_a_list_with_holes_is_a_list_and_an_empty_map_is_none() -> None:
    assert rows_of({"0": {"id": 1}, "2": {"id": 2}}, cast(Answer, None)) == [{"id": 1}, {"id": 2}]
    answer = Answer(200, {}, b"{}", 0.1, "https://shop.test/wp-json/wc/v3/orders")
    for value in ({}, {"id": 1}, False, None, "rows"):
        with pytest.raises(ServerFault):
            rows_of(value, answer)


@pytest.mark.parametrize(
    ("value", "nothing"), [(value, value in (None, "", " ") or value is False) for value in ODD[:5]]
)
def test_nothing_is_what_php_means_by_it(value: Any, nothing: bool) -> None:
    assert is_nothing(value) is nothing
    assert all(map(is_nothing, ([], {}))) and not any(map(is_nothing, (0, "0", [0], True)))


@pytest.mark.parametrize(("value", "number"), [(11.0, 11), ("11", 11), (" 11 ", 11), (11.5, 0), ("²", 0), (-3, 0)])
def test_a_whole_number_is_read_however_it_is_written(value: Any, number: int) -> None:
    assert whole(value) == number


@pytest.mark.parametrize(
    ("value", "reads"),
    [
        ("Acme &amp; O&#8217;Brien", "Acme & O’Brien"),
        ("K&ouml;ln", "Köln"),
        ("&amp;amp;", "&amp;"),
        ("R&D&notes", "R&D&notes"),
        ("a=1&copy=2", "a=1&copy=2"),
        ("&lt;3", "<3"),
        ("&#0;&#xD800;", "\ufffd\ufffd"),
        ("&nothing;", "&nothing;"),
    ],
)
def test_entities_are_decoded_once_as_php_does(value: str, reads: str) -> None:
    assert decoded(value) == reads
    where = {"first_name": value, "last_name": value, "company": value, "address_1": value, "city": value}
    order = parse.order(
        EXACT | {"billing": where | {"email": "a&amp;b@example.com"}, "coupon_lines": [{"code": value}]}
    )
    person: Customer = parse.customer({"id": 1, "first_name": value, "billing": where})
    for address in (order.billing, person.billing):
        assert {address.first_name, address.last_name, address.company, address.address_1, address.city} == {reads}
    assert (person.first_name, order.coupons, order.email) == (reads, (reads,), "a&amp;b@example.com")
