"""The JSON of the latest order in one text field (P32), valid at any length."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from integration import json_text, money
from integration.mapping.text import clean
from integration.records import LineItem, Order

#: Mautic strips tags from text (mautic:051, mautic:274) and would cut the JSON at a name like "<3".
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def order_data(order: Order, shop_decimals: int | None = None) -> str:
    """Return the order as JSON: money as text in the currency's decimals, quantities as numbers, date YYYY-MM-DD.

    `shop_decimals` are the shop's own where the order is in its currency.
    """
    return encode(
        {
            "order_id": order.given_id or order.id,
            "status": order.status,
            "total": money.text(order.total, order.currency, shop_decimals),
            "discount_total": money.text(order.discount_total, order.currency, shop_decimals),
            "coupons": list(order.coupons),
            "currency": order.currency,
            "date": date_of(order),
            "payment_method": clean(order.payment_method),
            "items": [_item(item, order.currency, shop_decimals) for item in order.items],
        }
    )


def shortened(text: str, limit: int) -> tuple[str | None, int]:
    """Return the JSON in `limit` characters and the number of items dropped from its end.

    `items_left_out` in the JSON says the same. None when it does not fit even without items, or is not such JSON.
    """
    if len(text) <= limit:
        return text, 0
    data = _loaded(text)
    if data is None:
        return None, 0
    items = data["items"]
    fitting, beyond = 0, len(items)
    while fitting < beyond:
        middle = (fitting + beyond) // 2
        fits = len(_with_items(data, middle)) <= limit
        fitting, beyond = (middle + 1, beyond) if fits else (fitting, middle)
    kept = fitting - 1
    return (_with_items(data, kept), len(items) - kept) if kept >= 0 else (None, 0)


def encode(data: Any) -> str:
    """Return compact JSON without `<`, `>` and `&`, which Mautic's filters would change."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    for letter, escape in _ESCAPES.items():
        text = text.replace(letter, escape)
    return text


def is_json(text: str) -> bool:
    """Tell whether a text is a JSON map or list."""
    try:
        return isinstance(json_text.loads(text), dict | list)
    except ValueError:
        return False


def quantity(amount: Decimal) -> int | float:
    """Return a quantity as the number it is: 2, or 0.5 where a plugin sells by weight."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def date_of(order: Order) -> str:
    """Return the day of the order as YYYY-MM-DD in the store's zone, else in UTC, else ""."""
    return order.local_date[:10] or (order.created_at.date().isoformat() if order.created_at else "")


def _item(item: LineItem, currency: str, shop_decimals: int | None) -> dict[str, Any]:
    return {
        "name": clean(item.name),
        "sku": clean(item.sku),
        "price": money.text(item.price, currency, shop_decimals),
        "qty": quantity(item.quantity),
    }


def _loaded(text: str) -> dict[str, Any] | None:
    try:
        data = json_text.loads(text)
    except ValueError:
        return None
    return data if isinstance(data, dict) and isinstance(data.get("items"), list) else None


def _with_items(data: dict[str, Any], count: int) -> str:
    left_out = len(data["items"]) - count
    told = {"items_left_out": left_out + int(data.get("items_left_out") or 0)} if left_out else {}
    return encode({**data, "items": data["items"][:count], **told})
