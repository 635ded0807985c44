"""Lines of carts from what the shop says: names as they read, the currency's decimals, and what is gone is said."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from integration.carts.pricing import Priced, priced
from integration.store.products import Product, _of_storefront, _of_v3
from integration.streams.cart_payload import line_json

RECORDINGS = Path(__file__).parent.parent / "contract" / "recordings" / "storefront"
TEA = Product(13, "Tea", Decimal("4.335"), "EUR", image="https://shop.example/t.jpg", link="https://shop.example/tea")
SHIRT = Product(49, "T-shirt", Decimal(20), "EUR", parent_id=48, choices=("S", "rosso"))
PRODUCTS = {13: TEA, 49: SHIRT}


def of(*items: dict[str, Any], products: dict[int, Product] | None = None, currency: str = "EUR") -> Priced:
    given = [{"qty": 1, "variation": [], **item} for item in items]
    return priced(given, PRODUCTS if products is None else products, currency)


def test_the_total_is_that_of_the_lines_each_in_the_currency_s_decimals() -> None:
    found = of({"id": 13, "qty": 3}, {"id": 49})
    assert [(line.price, line.total) for line in found.lines] == [(Decimal("4.34"), Decimal("13.01")), (20, 20)]
    assert (found.total, found.currency, found.said) == (Decimal("33.01"), "EUR", ())
    assert (found.lines[1].product_id, found.lines[1].variation_id) == (48, 49)
    assert (found.lines[0].image, found.lines[0].link) == (TEA.image, TEA.link)


@pytest.mark.parametrize(
    ("currency", "price", "total"), [("JPY", "1500", "4500"), ("KWD", "1.2345", "3.704"), ("", "1.005", "3.02")]
)
def test_currencies_have_their_own_decimals(currency: str, price: str, total: str) -> None:
    product = Product(13, "Tea", Decimal(price), currency)
    assert str(of({"id": 13, "qty": 3}, products={13: product}, currency="").total) == total


def test_a_variation_is_named_by_what_was_chosen_free_attributes_too() -> None:
    free = {"id": 49, "variation": [["Taglia", "L"], ["Colore", "blu"]]}
    assert [line.name for line in of(free, {"id": 49}).lines] == ["T-shirt - L, blu", "T-shirt - S, rosso"]


def test_a_deleted_product_is_left_out_a_sold_out_one_stays_and_both_are_said() -> None:
    sold_out = Product(14, "Cup <i>", Decimal(5), "EUR", in_stock=False)
    found = of({"id": 13}, {"id": 14}, {"id": 99}, products={13: TEA, 14: sold_out})
    assert [line.name for line in found.lines] == ["Tea", "Cup <i>"]
    assert found.said == ("Not in the shop any more, so left out: product 99.", "Sold out: “Cup <i>”.")
    assert not found.gone
    assert of({"id": 99}).gone


def test_what_is_unknown_or_empty_has_no_lines_and_is_not_gone() -> None:
    assert priced(None, {}, "EUR") == Priced(currency="EUR")
    assert priced([], {}, "EUR") == Priced(currency="EUR")


def test_an_order_that_waits_for_its_payment_keeps_its_prices_and_gets_the_pictures() -> None:
    agreed = line_json(of({"id": 13, "qty": 2}).lines[0]) | {"price": "1.00", "total": "2.00", "image": "", "link": ""}
    found = of({"id": 13, "qty": 2, "line": agreed}, {"id": 99, "line": agreed | {"product_id": 99}})
    assert [(line.total, line.image) for line in found.lines] == [(2, TEA.image), (2, "")]
    assert found.total == 4


def recorded(name: str) -> Any:
    (path,) = RECORDINGS.glob(f"{name}-*.json")
    return json.loads(json.loads(path.read_text(encoding="utf-8"))["response"]["body"])


def test_products_are_read_as_the_store_api_writes_them() -> None:
    simple, variation = recorded("021")[1], recorded("023")[0]
    coffee, shirt = _of_storefront(simple), _of_storefront(variation)
    assert (coffee.name, coffee.price, coffee.currency) == ("Caffè arabica 250 g", Decimal("86.15"), "EUR")
    assert (shirt.name, shirt.parent_id, shirt.choices) == ("T-shirt “Città”", 48, ("S", "rosso"))
    assert not _of_storefront(recorded("021")[0]).in_stock
    encoded = simple | {"name": "Caff&#8220;è &amp; <i>T&egrave;</i>", "prices": {"price": "no number"}}
    assert (_of_storefront(encoded).name, _of_storefront(encoded).price) == ("Caff“è & <i>Tè</i>", None)
    commas = variation | {"variation": "Taglia: 10,5 cm, Colore: rosso, blu"}
    assert _of_storefront(commas).choices == ("10,5 cm", "rosso, blu")


def test_a_variation_of_wc_v3_is_named_by_its_product() -> None:
    row = {"id": 51, "name": "L, blu", "price": "20.00", "stock_status": "outofstock"}
    row |= {"attributes": [{"name": "Colore", "option": "blu &amp; bianco"}], "image": {"src": "https://s.example/i"}}
    found = _of_v3(row, {"id": 48, "name": "T-shirt"})
    assert (found.name, found.parent_id, found.choices) == ("T-shirt", 48, ("blu & bianco",))
    assert (found.price, found.in_stock, found.image) == (20, False, "https://s.example/i")
