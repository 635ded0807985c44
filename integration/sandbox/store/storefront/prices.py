"""Money and names as the storefront shows them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from integration.sandbox.store import money
from integration.sandbox.store.state import State

LOW_STOCK = 2
PIECES_MAX = 9999


def currency(state: State) -> dict[str, Any]:
    """Return what the Store API says of the currency beside every amount (storefront:001)."""
    symbol = money.SYMBOLS.get(state.currency, state.currency)
    return {
        "currency_code": state.currency,
        "currency_symbol": symbol,
        "currency_minor_unit": 2,
        "currency_decimal_separator": ",",
        "currency_thousand_separator": ".",
        "currency_prefix": "",
        "currency_suffix": f" {symbol}",
    }


def of_product(state: State, product: dict[str, Any], pieces: bool = False) -> dict[str, Any]:
    """Return a product's prices in minor units; in a cart with `raw_prices` of six digits more."""
    price = money.amount(product["price"])
    regular = money.amount(product["regular_price"]) or price
    amounts = {"price": price, "regular_price": regular, "sale_price": price}
    shown = {name: money.minor(value) for name, value in amounts.items()} | {"price_range": None, **currency(state)}
    if pieces:
        shown["raw_prices"] = {"precision": 6, **{name: str(int(value * 10**6)) for name, value in amounts.items()}}
    return shown


def html(state: State, value: Decimal) -> str:
    """Return an amount as the shop's pages show it (storefront:021)."""
    symbol = {"EUR": "&euro;"}.get(state.currency, money.SYMBOLS.get(state.currency, state.currency))
    sign = f'<span class="woocommerce-Price-currencySymbol">{symbol}</span>'
    return f'<span class="woocommerce-Price-amount amount">{money.for_people(value)}&nbsp;{sign}</span>'


def product_html(state: State, product: dict[str, Any]) -> str:
    """Return a product's price as its page shows it, with the old one struck through when it is on sale."""
    price, regular = money.amount(product["price"]), money.amount(product["regular_price"])
    if not product["on_sale"] or regular <= price:
        return html(state, price)
    return f"<del>{html(state, regular)}</del> <ins>{html(state, price)}</ins>"


def texturized(name: str) -> str:
    """Return a name as WordPress shows it: quotes and dashes made typographic, as entities (storefront:013)."""
    text = re.sub(r'(^|[\s(\[{>])"', r"\1&#8220;", name).replace('"', "&#8221;")
    text = re.sub(r"(?<=\w)'", "&#8217;", text)
    return text.replace(" - ", " &#8211; ")


def title(state: State, product: dict[str, Any]) -> str:
    """Return a product's name as the storefront shows it; a variation has its parent's."""
    parent = state.product(product["parent_id"]) if product["type"] == "variation" else None
    return texturized(str((parent or product)["name"]))


def low_stock(product: dict[str, Any]) -> int | None:
    """Return how few pieces are left, None when there are enough or nobody counts."""
    if not product["manage_stock"] or product["backorders_allowed"]:
        return 0 if product["stock_status"] == "outofstock" else None
    limit = product["low_stock_amount"]
    left = int(product["stock_quantity"] or 0)
    return left if left <= (LOW_STOCK if limit is None else int(limit)) else None
