"""The lines of a cart as the shop describes and prices them now; what shoppers' browsers say of prices never counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from integration import money
from integration.records import CartLine
from integration.store.products import Product
from integration.streams.cart_payload import lines_of

Item = Mapping[str, Any]
#: So many names are listed in a sentence.
_NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class Priced:
    """A cart's lines and their sum in `currency`; `said` are sentences for the cart's story.

    `gone` says that the cart had products, and that none of them is in the shop any more.
    """

    lines: tuple[CartLine, ...] = ()
    currency: str = ""
    total: Decimal = Decimal(0)
    said: tuple[str, ...] = ()
    gone: bool = False


def wanted(carts: Sequence[Sequence[Item] | None]) -> set[int]:
    """Return the ids of all products in some carts."""
    return {int(item["id"]) for items in carts for item in items or ()}


def priced(
    items: Sequence[Item] | None, products: Mapping[int, Product], currency: str, decimals: int | None = None
) -> Priced:
    """Return a cart's lines; `currency` and `decimals` are the shop's, where the products do not tell theirs.

    A product that is deleted is left out and named by its id, one that is sold out stays and is said. Lines that an
    order has agreed on keep its names and prices.
    """
    if not items:
        return Priced(currency=currency)
    there = [item for item in items if "line" in item or int(item["id"]) in products]
    code = next((found.currency for item in there if (found := _found(item, products)) and found.currency), currency)
    lines = tuple(_line(item, _found(item, products), code, decimals) for item in there)
    total = money.rounded(sum((line.total for line in lines), Decimal(0)), code, decimals)
    return Priced(lines, code, total, _said(items, products), not lines)


def _found(item: Item, products: Mapping[int, Product]) -> Product | None:
    return products.get(int(item["id"]))


def _line(item: Item, product: Product | None, currency: str, decimals: int | None) -> CartLine:
    if "line" in item:
        (agreed,) = lines_of([item["line"]])
        return replace(agreed, image=product.image, link=product.link) if product else agreed
    assert product is not None, "a line without a product is left out"
    quantity, price = Decimal(str(item["qty"])), product.price or Decimal(0)
    return CartLine(
        name=name_of(product, item),
        product_id=product.parent_id or product.id,
        variation_id=product.id if product.parent_id else 0,
        quantity=quantity,
        price=money.rounded(price, currency, decimals),
        total=money.rounded(price * quantity, currency, decimals),
        image=product.image,
        link=product.link,
    )


def name_of(product: Product, item: Item) -> str:
    """Return a product's name with what was chosen of a variation, free attributes too, as orders name it."""
    chosen = tuple(str(value) for _, value in item.get("variation") or ()) or product.choices
    return f"{product.name} - {', '.join(chosen)}" if product.parent_id and chosen else product.name


def _said(items: Sequence[Item], products: Mapping[int, Product]) -> tuple[str, ...]:
    gone = [f"product {item['id']}" for item in items if "line" not in item and _found(item, products) is None]
    found = [product for item in items if (product := _found(item, products)) is not None]
    sold_out = [f"“{product.name}”" for product in found if not product.in_stock]
    unread = [f"“{product.name}”" for product in found if product.price is None]
    return (
        *_sentence(gone, "Not in the shop any more, so left out: {}."),
        *_sentence(sold_out, "Sold out: {}."),
        *_sentence(unread, "The price could not be read: {}."),
    )


def _sentence(names: Collection[str], text: str) -> tuple[str, ...]:
    once = list(dict.fromkeys(names))
    more = f" and {len(once) - _NAMED_MAX} more" if len(once) > _NAMED_MAX else ""
    return (text.format(", ".join(once[:_NAMED_MAX]) + more),) if once else ()
