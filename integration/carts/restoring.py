"""What the script in the shop's pages gets to bring a cart back, and the code by which it may (P59)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from integration.models.cart import Cart

#: So long the code in an address serves: it is used at once, and stays behind in the browser's history.
GOOD_FOR = timedelta(minutes=15)
#: What the script looks for in an address.
FRAGMENT = "woo-mautic-cart"
#: Said where the store refuses an item without a word of its own.
_NOTICE = "Some items of your cart are no longer available."


def code_of(secret_key: str, now: datetime, cart_id: int) -> str:
    """Return the code with which the script asks for a cart, for 15 minutes."""
    return _signer(secret_key).dumps([cart_id, int((now + GOOD_FOR).timestamp())])


def cart_id_of(secret_key: str, now: datetime, code: str) -> int | None:
    """Return the cart of a code, None for one that is none of ours or too old."""
    try:
        number, until = _signer(secret_key).loads(code)
    except (BadSignature, ValueError, TypeError):
        return None
    return number if isinstance(number, int) and now.timestamp() <= until else None


def restored(cart: Cart, now: datetime, checkout: str) -> dict[str, Any]:
    """Return what the script puts into the shopper's cart, `checkout` being where it goes then.

    `cart` and `n` let the script go on with the same cart in another browser: else it would be reminded of twice.
    """
    lasts = cart.coupon_until is None or cart.coupon_until > now
    return {
        "items": add_items(cart),
        "email": cart.email,
        "coupon": cart.coupon_code if lasts else "",
        "checkout": checkout,
        "notice": _NOTICE,
        "cart": cart.key,
        "n": cart.sequence,
    }


def add_items(cart: Cart) -> list[dict[str, Any]]:
    """Return a cart's items as bodies of the Store API's cart/add-item (storefront:005, storefront:012)."""
    return [_add_item(item) for item in cart.items or ()]


def _add_item(item: dict[str, Any]) -> dict[str, Any]:
    chosen = [{"attribute": name, "value": value} for name, value in item.get("variation") or ()]
    quantity = float(item["qty"])
    body = {"id": item["id"], "quantity": int(quantity) if quantity.is_integer() else quantity}
    return {**body, "variation": chosen} if chosen else body


def _signer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt="cart restore")
